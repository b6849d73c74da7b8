/* The inner walk of the flow table in C: the twin of NumpyCore in daemon/flow/core.py, which is its oracle.

   Rule 1: rows are taken one by one in file order; silence, FIN or RST and a new SYN end a conversation, as there.
   Rule 2: a conversation is an object of C (`_core_tally*.h`) that Python extends. Python is called only where a payload is
           wanted or notable, for the number of an end that was not seen lately, and when a conversation ends.
   Rule 3: an exception from Python ends add(); the rows before it are counted, and the table stays whole.
   Rule 4: what is called must not change the table while it takes rows: that is refused (RuntimeError).

   Stable ABI (Python 3.11 and later), no numpy API: columns come through the buffer protocol. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "_core_flow.h"
#include "_core_frames.h"
#include "_core_keys.h"
#include "_core_packed.h"
#include "_core_rows.h"
#include "_core_setup.h"
#include "_core_table.h"
#include "_core_tally.h"
#include "_core_tally_type.h"
#include "_core_take.h"

static int claim(Core *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the flow table is taking rows");
        return -1;
    }
    return 0;
}

enum { SOON = 8 }; /* rows; where a payload begins is asked for so long before it is read */

/* Bring the start of a payload nearer, of which the first bytes say whether somebody should see it. */
static inline void rows_ask(const Rows *rows, Py_ssize_t row)
{
#if defined(__GNUC__)
    if (row < rows->count)
        __builtin_prefetch((const void *)((uintptr_t)rows->buf.buf + (uintptr_t)CELL(rows, PAYLOAD_OFFSET, int64_t, row)));
#else
    (void)rows, (void)row;
#endif
}

static PyObject *core_add(Core *self, PyObject *arguments)
{
    PyObject *buf, *columns;
    Rows rows;
    if (!PyArg_ParseTuple(arguments, "OO:add", &buf, &columns) || claim(self))
        return NULL;
    self->busy = 1;
    int failed = rows_open(&rows, buf, columns);
    for (Py_ssize_t row = 0; !failed && row < rows.count; row++)
        if (CELL(&rows, KIND, uint8_t, row) == IP_KIND) {
            rows_ask(&rows, row + SOON);
            failed = take_row(self, &rows, row);
        }
    forget_sinks(&self->sinks);
    rows_close(&rows);
    self->busy = 0;
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *core_open(Core *self, PyObject *unused)
{
    (void)unused;
    PyObject *list = claim(self) ? NULL : PyList_New(0);
    for (Flow *flow = self->table.first; flow && list; flow = flow->after)
        if (PyList_Append(list, (PyObject *)flow))
            Py_CLEAR(list);
    return list;
}

static PyObject *core_expire(Core *self, PyObject *clock)
{
    int64_t clock_us = PyLong_AsLongLong(clock);
    if ((clock_us == -1 && PyErr_Occurred()) || claim(self))
        return NULL;
    int failed = 0;
    self->busy = 1;
    for (Flow *flow = self->table.first, *next; flow && !failed; flow = next) {
        next = flow->after;
        failed = is_silent(flow, clock_us) && end_flow(self, flow, self->names[N_IDLE]);
    }
    forget_sinks(&self->sinks);
    self->busy = 0;
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* The conversation that Python hands in, or NULL with an exception set. */
static Flow *own_flow(Core *self, PyObject *object)
{
    if (PyObject_TypeCheck(object, self->conversation))
        return claim(self) ? NULL : (Flow *)object;
    PyErr_SetString(PyExc_TypeError, "not a conversation of this core");
    return NULL;
}

static PyObject *core_insert(Core *self, PyObject *conversation)
{
    Flow *flow = own_flow(self, conversation);
    if (!flow)
        return NULL;
    uint64_t hash = key_hash(&self->table, &flow->key);
    if (table_find(&self->table, &flow->key, hash))
        return PyErr_Format(PyExc_ValueError, "this conversation is open already");
    if (adopt(self, flow, hash))
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *core_remove(Core *self, PyObject *arguments)
{
    PyObject *conversation, *word;
    if (!PyArg_ParseTuple(arguments, "OU:remove", &conversation, &word))
        return NULL;
    Flow *flow = own_flow(self, conversation);
    if (!flow)
        return NULL;
    if (table_find(&self->table, &flow->key, key_hash(&self->table, &flow->key)) != flow)
        return PyErr_Format(PyExc_KeyError, "this conversation is not open");
    self->busy = 1;
    int failed = end_flow(self, flow, word);
    forget_sinks(&self->sinks);
    self->busy = 0;
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static Py_ssize_t core_length(Core *self)
{
    return (Py_ssize_t)self->table.used;
}

/* --- the type --- */

static int core_traverse(Core *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->conversation);
    Py_VISIT(self->endpoints);
    Py_VISIT(self->facts);
    Py_VISIT(self->link_addresses);
    Py_VISIT(self->makers);
    Py_VISIT(self->dns);
    Py_VISIT(self->advertised);
    Py_VISIT(self->sinks.flows);
    Py_VISIT(self->sinks.spans);
    Py_VISIT(self->sinks.hellos);
    for (int i = 0; i < STARTS; i++)
        Py_VISIT(self->starts[i]);
    for (int i = 0; i < MESSAGE_PORTS; i++)
        Py_VISIT(self->readers[i]);
    for (int i = 0; i < KINDS; i++) {
        Py_VISIT(self->lately.kinds[i].service);
        Py_VISIT(self->lately.kinds[i].kind);
    }
    for (int i = 0; i < NAMED; i++)
        Py_VISIT(self->lately.names[i].name);
    for (int i = 0; i < WORDS; i++)
        Py_VISIT(self->words[i].text);
    for (Flow *flow = self->table.first; flow; flow = flow->after)
        Py_VISIT(flow);
    return 0;
}

static int core_clear(Core *self)
{
    self->latest = NULL;
    while (self->table.first) {
        Flow *flow = self->table.first;
        table_remove(&self->table, flow);
        Py_DECREF(flow);
    }
    Py_CLEAR(self->conversation);
    Py_CLEAR(self->endpoints);
    Py_CLEAR(self->facts);
    Py_CLEAR(self->link_addresses);
    Py_CLEAR(self->makers);
    Py_CLEAR(self->dns);
    Py_CLEAR(self->advertised);
    forget_sinks(&self->sinks);
    for (int i = 0; i < STARTS; i++)
        Py_CLEAR(self->starts[i]);
    for (int i = 0; i < MESSAGE_PORTS; i++)
        Py_CLEAR(self->readers[i]);
    for (int i = 0; i < KINDS; i++) {
        self->lately.kinds[i].key = 0;
        Py_CLEAR(self->lately.kinds[i].service);
        Py_CLEAR(self->lately.kinds[i].kind);
    }
    for (int i = 0; i < NAMED; i++)
        Py_CLEAR(self->lately.names[i].name);
    for (int i = 0; i < WORDS; i++)
        Py_CLEAR(self->words[i].text);
    return 0;
}

static void core_dealloc(Core *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    core_clear(self);
    PyMem_Free(self->table.places);
    for (int i = 0; i < NAMES; i++)
        Py_CLEAR(self->names[i]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* Whether a type extends the Tally of this module. */
static int extends_tally(PyTypeObject *core, PyTypeObject *type)
{
    PyObject *module = PyType_GetModule(core), *tally = module ? attribute(module, "Tally") : NULL;
    int extends = tally && PyType_IsSubtype(type, (PyTypeObject *)tally);
    Py_XDECREF(tally);
    if (!extends && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "conversations of this core extend its Tally");
    return extends;
}

static PyObject *core_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *endpoints, *facts, *conversation;
    if (keywords && PyDict_Size(keywords))
        return PyErr_Format(PyExc_TypeError, "Core takes no keywords");
    if (!PyArg_ParseTuple(arguments, "OOO!:Core", &endpoints, &facts, &PyType_Type, &conversation) ||
        !extends_tally(type, (PyTypeObject *)conversation))
        return NULL;
    Core *self = (Core *)PyType_GenericAlloc(type, 0); /* zeroed */
    if (!self)
        return NULL;
    Py_INCREF(conversation), Py_INCREF(endpoints), Py_INCREF(facts);
    self->conversation = (PyTypeObject *)conversation;
    self->endpoints = endpoints;
    self->facts = facts;
    if (set_up(self))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *core_renumber(Core *self, PyObject *endpoints)
{
    if (claim(self) || settle_spans(self))
        return NULL;
    PyObject *before = self->endpoints;
    Py_INCREF(endpoints);
    self->endpoints = endpoints;
    Py_XDECREF(before);
    memset(self->ends, 0, sizeof self->ends);
    Py_RETURN_NONE;
}

static PyObject *get_facts(Core *self, void *unused)
{
    (void)unused;
    Py_INCREF(self->facts);
    return self->facts;
}

static int set_facts(Core *self, PyObject *facts, void *unused)
{
    (void)unused;
    if (!facts) {
        PyErr_SetString(PyExc_AttributeError, "cannot be deleted");
        return -1;
    }
    if (settle_spans(self))
        return -1;
    PyObject *before = self->facts;
    Py_INCREF(facts);
    self->facts = facts;
    Py_XDECREF(before);
    return 0;
}

static PyGetSetDef PROPERTIES[] = {
    {"facts", (getter)get_facts, (setter)set_facts, "where facts go; `seen` is whole once others take their place", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef MEMBERS[] = {
    {"begun", T_LONGLONG, offsetof(Core, begun), 0, "conversations so far"},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef METHODS[] = {
    {"add", (PyCFunction)core_add, METH_VARARGS, "add(buf, columns): take the rows of a chunk."},
    {"open", (PyCFunction)core_open, METH_NOARGS, "open(): all open conversations."},
    {"expire", (PyCFunction)core_expire, METH_O, "expire(clock_us): end those whose silence has ended them."},
    {"insert", (PyCFunction)core_insert, METH_O, "insert(flow): a conversation that was open when decoding stopped."},
    {"remove", (PyCFunction)core_remove, METH_VARARGS, "remove(flow, end): end a conversation from outside."},
    {"renumber", (PyCFunction)core_renumber, METH_O, "renumber(endpoints): number ends by these from now on."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, "Core(endpoints, facts, conversation): open conversations by key, fed row by row."},
    {Py_tp_new, core_new},
    {Py_tp_dealloc, core_dealloc},
    {Py_tp_traverse, core_traverse},
    {Py_tp_clear, core_clear},
    {Py_tp_getset, PROPERTIES},
    {Py_tp_members, MEMBERS},
    {Py_tp_methods, METHODS},
    {Py_sq_length, core_length},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "daemon.flow._core.Core",
    .basicsize = sizeof(Core),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = SLOTS,
};

static int add_type(PyObject *module, PyType_Spec *spec, const char *name)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int failed = !type || PyModule_AddObjectRef(module, name, type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static int module_exec(PyObject *module)
{
    return add_type(module, &TALLY_SPEC, "Tally") || add_type(module, &TCP_SPEC, "TcpStart") ||
                   add_type(module, &UDP_SPEC, "UdpStart") || add_type(module, &PACKED_SPEC, "Packed") || add_type(module, &HELLO_SPEC, "Hello") ||
                   add_type(module, &SPEC, "Core")
               ? -1
               : 0;
}

static PyMethodDef FUNCTIONS[] = {
    {"count_frames", count_frames, METH_VARARGS, COUNT_FRAMES_DOC},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot MODULE_SLOTS[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.flow._core",
    .m_doc = "The inner walk of the flow table; see daemon/flow/core.py.",
    .m_methods = FUNCTIONS,
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&MODULE);
}
