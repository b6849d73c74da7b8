/* The inner walk of the flow table in C: the twin of NumpyCore in daemon/flow/core.py, which is its oracle.

   Rule 1: rows are taken one by one in file order; silence, FIN or RST and a new SYN end a conversation, as there.
   Rule 2: Python is called only when something happens: a flow begins, an end sends for the first time, SYN, FIN or RST, a
           payload that is wanted or notable, an end. Between these, rows are counted here.
   Rule 3: a conversation is told its counters, slot by slot, before Python may look at them: when another slot begins, when
           it ends, and when open() is asked.
   Rule 4: an exception from Python ends add(); the rows before it are counted, and the table stays whole.
   Rule 5: hooks must not change the table while it takes rows: that is refused (RuntimeError).

   Stable ABI (Python 3.11 and later), no numpy API: columns come through the buffer protocol. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "_core_flow.h"
#include "_core_keys.h"
#include "_core_rows.h"
#include "_core_table.h"

static int take_row(Core *self, const Rows *rows, Py_ssize_t row)
{
    Key key;
    int side = row_key(rows, row, &key);
    uint64_t hash = key_hash(&self->table, &key);
    int64_t time_us = CELL(rows, TIME_US, int64_t, row);
    int flags = CELL(rows, TCP_FLAGS, uint8_t, row);
    Flow *flow = table_find(&self->table, &key, hash);
    if (flow && is_silent(flow, time_us)) {
        if (end_flow_as(self, flow, "idle"))
            return -1;
        flow = NULL;
    }
    if (flow && flow->closed && (flags & (SYN | ACK)) == SYN) {
        if (end_flow_as(self, flow, "cut")) /* said by its FIN or RST: the word given here is not used */
            return -1;
        flow = NULL;
    }
    if (!flow)
        flow = begin_flow(self, rows, row, &key, hash, side);
    else if (!(flow->met >> side & 1) && meet(self, rows, row, flow, side))
        return -1;
    if (!flow)
        return -1;
    flow->met |= 1 << side;
    if (count(self, flow, side, time_us, CELL(rows, WIRE, int64_t, row)))
        return -1;
    if (flags & (SYN | FIN | RST) && say_flags(self, flow, side, flags, CELL(rows, TCP_SEQ, int64_t, row)))
        return -1;
    int wanted = flow->wants >> side & 1;
    if (!wanted) {
        wanted = is_notable(&self->notable, rows, row);
        if (wanted < 0)
            return -1;
    }
    if (!wanted || (CELL(rows, PAYLOAD_SIZE, int64_t, row) <= 0 && CELL(rows, MISSING, int64_t, row) <= 0))
        return 0;
    return inspect(self, rows, row, flow, side);
}

static int claim(Core *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the flow table is taking rows");
        return -1;
    }
    return 0;
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
        if (CELL(&rows, KIND, uint8_t, row) == IP_KIND)
            failed = take_row(self, &rows, row);
    rows_close(&rows);
    self->busy = 0;
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* Conversations in the order in which they began: all of them, told everything, or those whose silence has ended them. */
static PyObject *list_flows(Core *self, const int64_t *clock_us)
{
    PyObject *list = claim(self) ? NULL : PyList_New(0);
    if (!list)
        return NULL;
    int failed = 0;
    self->busy = 1;
    for (Flow *flow = self->table.first; flow && !failed; flow = flow->after) {
        if (!clock_us)
            failed = tell(self, flow);
        else if (!is_silent(flow, *clock_us))
            continue;
        failed = failed || PyList_Append(list, flow->conversation);
    }
    self->busy = 0;
    if (failed)
        Py_CLEAR(list);
    return list;
}

static PyObject *core_open(Core *self, PyObject *unused)
{
    (void)unused;
    return list_flows(self, NULL);
}

static PyObject *core_silent(Core *self, PyObject *clock)
{
    int64_t clock_us = PyLong_AsLongLong(clock);
    return clock_us == -1 && PyErr_Occurred() ? NULL : list_flows(self, &clock_us);
}

static PyObject *core_insert(Core *self, PyObject *conversation)
{
    Key key;
    PyObject *tuple = claim(self) ? NULL : PyObject_GetAttr(conversation, self->names[N_KEY]);
    int failed = !tuple || read_key(tuple, &key);
    Py_XDECREF(tuple);
    PyObject *packets = failed ? NULL : PyObject_GetAttr(conversation, self->names[N_PACKETS]);
    int met = 0;
    for (Py_ssize_t side = 0; packets && side < 2; side++) {
        PyObject *sent = PySequence_GetItem(packets, side);
        int some = sent ? PyObject_IsTrue(sent) : -1;
        Py_XDECREF(sent);
        if (some < 0)
            Py_CLEAR(packets);
        met |= some << side;
    }
    Py_XDECREF(packets);
    if (!packets)
        return NULL;
    uint64_t hash = key_hash(&self->table, &key);
    if (table_find(&self->table, &key, hash))
        return PyErr_Format(PyExc_ValueError, "this conversation is open already");
    Py_INCREF(conversation);
    Flow *flow = adopt(self, conversation, &key, hash);
    if (!flow)
        return NULL;
    flow->met = met;
    Py_RETURN_NONE;
}

static PyObject *core_remove(Core *self, PyObject *arguments)
{
    PyObject *conversation, *word;
    Key key;
    if (!PyArg_ParseTuple(arguments, "OU:remove", &conversation, &word) || claim(self))
        return NULL;
    PyObject *tuple = PyObject_GetAttr(conversation, self->names[N_KEY]);
    Flow *flow = NULL;
    if (tuple && !read_key(tuple, &key)) {
        flow = table_find(&self->table, &key, key_hash(&self->table, &key));
        if (!flow)
            PyErr_SetObject(PyExc_KeyError, tuple);
    }
    Py_XDECREF(tuple);
    if (!flow || end_flow(self, flow, word))
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
    Py_VISIT(self->begin);
    Py_VISIT(self->meet);
    Py_VISIT(self->inspect);
    Py_VISIT(self->close);
    Py_VISIT(self->link_addresses);
    for (Flow *flow = self->table.first; flow; flow = flow->after)
        Py_VISIT(flow->conversation);
    return 0;
}

static int core_clear(Core *self)
{
    while (self->table.first) {
        Flow *flow = self->table.first;
        table_remove(&self->table, flow);
        free_flow(flow);
    }
    Py_CLEAR(self->begin);
    Py_CLEAR(self->meet);
    Py_CLEAR(self->inspect);
    Py_CLEAR(self->close);
    Py_CLEAR(self->link_addresses);
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

/* The random key of the hash. */
static int draw_seed(Core *self)
{
    PyObject *os = PyImport_ImportModule("os");
    PyObject *seed = os ? PyObject_CallMethod(os, "urandom", "i", (int)sizeof self->table.seed) : NULL;
    char *bytes;
    Py_ssize_t size;
    int failed = !seed || PyBytes_AsStringAndSize(seed, &bytes, &size) || size != sizeof self->table.seed;
    if (!failed)
        memcpy(self->table.seed, bytes, sizeof self->table.seed);
    Py_XDECREF(os), Py_XDECREF(seed);
    return failed ? -1 : 0;
}

static int set_up(Core *self, PyObject *hooks)
{
    for (int i = 0; i < NAMES; i++)
        if (!(self->names[i] = PyUnicode_InternFromString(NAME[i])))
            return -1;
    PyObject *columns = PyImport_ImportModule("daemon.decode.columns");
    self->link_addresses = columns ? PyObject_GetAttrString(columns, "link_addresses") : NULL;
    Py_XDECREF(columns);
    if (!self->link_addresses || !(self->begin = PyObject_GetAttrString(hooks, "begin")) ||
        !(self->meet = PyObject_GetAttrString(hooks, "meet")) ||
        !(self->inspect = PyObject_GetAttrString(hooks, "inspect")) ||
        !(self->close = PyObject_GetAttrString(hooks, "close")))
        return -1;
    return draw_seed(self) || notable_set_up(&self->notable, &self->slot_us) ? -1 : 0;
}

static PyObject *core_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *hooks;
    if (keywords && PyDict_Size(keywords))
        return PyErr_Format(PyExc_TypeError, "Core takes no keywords");
    if (!PyArg_ParseTuple(arguments, "O:Core", &hooks))
        return NULL;
    Core *self = (Core *)PyType_GenericAlloc(type, 0); /* zeroed */
    if (self && set_up(self, hooks))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyMethodDef METHODS[] = {
    {"add", (PyCFunction)core_add, METH_VARARGS, "add(buf, columns): take the rows of a chunk."},
    {"open", (PyCFunction)core_open, METH_NOARGS, "open(): all open conversations, with their counters up to date."},
    {"silent", (PyCFunction)core_silent, METH_O, "silent(clock_us): conversations whose silence has ended them."},
    {"insert", (PyCFunction)core_insert, METH_O, "insert(flow): a conversation that was open when decoding stopped."},
    {"remove", (PyCFunction)core_remove, METH_VARARGS, "remove(flow, end): end a conversation from outside."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, "Core(hooks): open conversations by key, fed row by row."},
    {Py_tp_new, core_new},
    {Py_tp_dealloc, core_dealloc},
    {Py_tp_traverse, core_traverse},
    {Py_tp_clear, core_clear},
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

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &SPEC, NULL);
    int failed = !type || PyModule_AddObjectRef(module, "Core", type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot MODULE_SLOTS[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.flow._core",
    .m_doc = "The inner walk of the flow table; see daemon/flow/core.py.",
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&MODULE);
}
