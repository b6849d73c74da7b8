/* The type of `_core_tally.h` as Python sees it: daemon/flow/tally.py says what its attributes and methods are. */

#ifndef HOMEPORT_FLOW_CORE_TALLY_TYPE_H
#define HOMEPORT_FLOW_CORE_TALLY_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>

#include "_core_tally.h"

static int see_ends(const Flow *self, PyObject *spans)
{
    for (int side = 0; side < 2; side++) {
        int sent = self->packets[side] != 0;
        if (self->ends[side] >= 0 &&
            stretch_span(spans, self->ends[side], sent ? self->first_us : self->began_us,
                         sent ? self->last_us : self->began_us, sent))
            return -1;
    }
    return 0;
}

static PyObject *tally_seen(Flow *self, PyObject *spans)
{
    if (!PyDict_Check(spans))
        return PyErr_Format(PyExc_TypeError, "spans are a dict");
    if (see_ends(self, spans))
        return NULL;
    Py_RETURN_NONE;
}

static int read_side(PyObject *number)
{
    long side = PyLong_AsLong(number);
    if (side == 0 || side == 1)
        return (int)side;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "an end is 0 or 1");
    return -1;
}

static PyObject *tally_port(Flow *self, PyObject *number)
{
    int side = read_side(number);
    return side < 0 ? NULL : PyLong_FromLong(key_port(&self->key, side));
}

/* 0, 1 for an address of many, 2 for the limited broadcast. */
static int group_of(const Key *key, int side)
{
    uint64_t high = key->words[2 * side], low = key->words[2 * side + 1];
    if (key_version(key) == 4)
        return low == 0xFFFFFFFF ? 2 : low >> 28 == 14;
    return high >> 56 == 0xFF;
}

static PyObject *tally_group(Flow *self, PyObject *number)
{
    int side = read_side(number);
    return side < 0 ? NULL : PyLong_FromLong(group_of(&self->key, side));
}

/* What Python sees of an object that may be NULL; borrowed. */
static PyObject *shown(PyObject *object)
{
    return object ? object : Py_None;
}

static PyObject *shown_port(const Flow *flow, int side)
{
    int port = key_port(&flow->key, side);
    if (port >= 0)
        return PyLong_FromLong(port);
    Py_RETURN_NONE;
}

/* A tuple of these, whose references it takes, or NULL where one of them is NULL. Py_BuildValue takes thrice as long. */
static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    int failed = !tuple;
    for (Py_ssize_t i = 0; i < count; i++) {
        failed = failed || !items[i];
        if (tuple && items[i])
            PyTuple_SetItem(tuple, i, items[i]);
        else
            Py_XDECREF(items[i]);
    }
    if (failed)
        Py_CLEAR(tuple);
    return tuple;
}

/* A NamedTuple of this class with the fields of `row`, whose reference it takes, or NULL. */
static PyObject *named_tuple(PyObject *type, PyObject *row)
{
    newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    PyObject *const items[] = {row};
    PyObject *arguments = row ? tuple_of(items, 1) : NULL;
    PyObject *made = arguments ? make((PyTypeObject *)type, arguments, NULL) : NULL;
    Py_XDECREF(arguments);
    return made;
}

static PyObject *row_of(const Flow *self, int client, PyObject *kind, PyObject *end, int live)
{
    int server = 1 - client;
    PyObject *const items[] = {
        PyLong_FromLongLong(self->number), Py_NewRef(kind), PyLong_FromLongLong(self->ends[client]),
        PyLong_FromLongLong(self->ends[server]), shown_port(self, client), shown_port(self, server),
        Py_NewRef(shown(self->name)), Py_NewRef(shown(self->name_source)), Py_NewRef(end), PyLong_FromLong(self->begun),
        PyLong_FromLong(live), PyLong_FromLong(self->slices != NULL), PyLong_FromLongLong(self->first_us),
        PyLong_FromLongLong(self->last_us), PyLong_FromLongLong(self->packets[client]),
        PyLong_FromLongLong(self->packets[server]), PyLong_FromLongLong(self->bytes[client]),
        PyLong_FromLongLong(self->bytes[server]),
    };
    return tuple_of(items, sizeof items / sizeof items[0]);
}

static PyObject *tally_row(Flow *self, PyObject *arguments)
{
    int client, live;
    PyObject *kind, *end;
    if (!PyArg_ParseTuple(arguments, "iOOp:row", &client, &kind, &end, &live))
        return NULL;
    if (client & ~1)
        return PyErr_Format(PyExc_ValueError, "an end is 0 or 1");
    return row_of(self, client, kind, end, live);
}

static PyObject *traits_of(const Flow *self, int client)
{
    int known = self->service && self->service != Py_None, server = 1 - client;
    PyObject *const items[] = {
        PyLong_FromLong(key_protocol(&self->key)), PyLong_FromLong(key_version(&self->key)),
        PyLong_FromLong(key_tunnel(&self->key)), Py_NewRef(shown(self->service)), PyBool_FromLong(self->confirmed),
        PyLong_FromLong(key_port(&self->key, server)), PyLong_FromLong(known ? 0 : key_port(&self->key, client)),
        PyLong_FromLong(group_of(&self->key, server)),
    };
    return tuple_of(items, sizeof items / sizeof items[0]);
}

static PyObject *tally_traits(Flow *self, PyObject *number)
{
    int client = read_side(number);
    return client < 0 ? NULL : traits_of(self, client);
}

/* The kind of the flow: kind_of(traits, doh). A new reference. */
static PyObject *kind_of_flow(const Flow *self, int client, PyObject *kind_of, PyObject *is_doh)
{
    PyObject *doh = self->name && self->name != Py_None ? PyObject_CallFunctionObjArgs(is_doh, self->name, NULL)
                                                        : Py_NewRef(Py_False);
    PyObject *traits = doh ? traits_of(self, client) : NULL;
    PyObject *kind = traits ? PyObject_CallFunctionObjArgs(kind_of, traits, doh, NULL) : NULL;
    Py_XDECREF(doh), Py_XDECREF(traits);
    return kind;
}

/* What telling a flow needs of Python, borrowed: see daemon/flow/conversation.py. */
typedef struct {
    PyObject *fact, *kind_of, *is_doh, *ends;
} Makers;

static int read_makers(PyObject *tuple, Makers *makers)
{
    return PyArg_ParseTuple(tuple, "O!OOO!:makers", &PyType_Type, &makers->fact, &makers->kind_of, &makers->is_doh,
                            &PyTuple_Type, &makers->ends)
               ? 0
               : -1;
}

/* Add the flow to the list of facts; 1, 0 where nobody asked, so that it takes ports to tell who is who, or -1. */
static int tell(const Flow *self, PyObject *flows, PyObject *spans, PyObject *otherwise, int live, const Makers *makers)
{
    int client = self->syn >= 0 ? self->syn : self->asker;
    if (client & ~1)
        return 0;
    PyObject *end = self->closed ? PyTuple_GetItem(makers->ends, self->closed & RST ? 0 : 1) : otherwise; /* borrowed */
    PyObject *kind = end ? kind_of_flow(self, client, makers->kind_of, makers->is_doh) : NULL;
    PyObject *row = kind ? row_of(self, client, kind, end, live) : NULL;
    PyObject *made = row ? named_tuple(makers->fact, row) : NULL;
    int failed = !made || PyList_Append(flows, made) || see_ends(self, spans);
    Py_XDECREF(kind), Py_XDECREF(made);
    return failed ? -1 : 1;
}

static PyObject *tally_tell(Flow *self, PyObject *arguments)
{
    PyObject *flows, *spans, *otherwise, *tuple;
    Makers makers;
    int live;
    if (!PyArg_ParseTuple(arguments, "O!O!UpO!:tell", &PyList_Type, &flows, &PyDict_Type, &spans, &otherwise, &live,
                          &PyTuple_Type, &tuple) ||
        read_makers(tuple, &makers))
        return NULL;
    int told = tell(self, flows, spans, otherwise, live, &makers);
    return told < 0 ? NULL : PyBool_FromLong(told);
}

static PyObject *get_pair(Flow *self, void *offset)
{
    const long long *pair = (const long long *)((const char *)self + (size_t)offset);
    PyObject *const items[] = {PyLong_FromLongLong(pair[0]), PyLong_FromLongLong(pair[1])};
    return tuple_of(items, 2);
}

static int set_pair(Flow *self, PyObject *value, void *offset)
{
    long long pair[2];
    PyObject *tuple = value ? PySequence_Tuple(value) : NULL;
    if (!tuple) {
        if (!value)
            PyErr_SetString(PyExc_AttributeError, "cannot be deleted");
        return -1;
    }
    int failed = !PyArg_ParseTuple(tuple, "LL", &pair[0], &pair[1]);
    if (!failed)
        memcpy((char *)self + (size_t)offset, pair, sizeof pair);
    Py_DECREF(tuple);
    return failed ? -1 : 0;
}

static PyObject *get_key(Flow *self, void *unused)
{
    (void)unused;
    if (!self->key_tuple)
        self->key_tuple = key_object(&self->key);
    Py_XINCREF(self->key_tuple);
    return self->key_tuple;
}

static PyObject *get_slices(Flow *self, void *unused)
{
    (void)unused;
    if (!self->slices)
        Py_RETURN_NONE;
    if (tally_spill(self, self->cell))
        return NULL;
    memset(self->cell, 0, sizeof self->cell);
    Py_INCREF(self->slices);
    return self->slices;
}

static int set_slices(Flow *self, PyObject *value, void *unused)
{
    (void)unused;
    if (!value || (value != Py_None && !PyDict_Check(value))) {
        PyErr_SetString(PyExc_TypeError, "slices are a dict or None");
        return -1;
    }
    PyObject *before = self->slices;
    self->slices = value == Py_None ? NULL : value;
    Py_XINCREF(self->slices);
    Py_XDECREF(before);
    memset(self->cell, 0, sizeof self->cell);
    return 0;
}

static PyObject *get_sliced(Flow *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(self->slices != NULL);
}

static int tally_traverse(Flow *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->key_tuple);
    Py_VISIT(self->slices);
    Py_VISIT(self->inspector);
    Py_VISIT(self->service);
    Py_VISIT(self->name);
    Py_VISIT(self->name_source);
    Py_VISIT(self->hellos);
    return 0;
}

static int tally_clear(Flow *self)
{
    Py_CLEAR(self->key_tuple);
    Py_CLEAR(self->slices);
    Py_CLEAR(self->inspector);
    Py_CLEAR(self->service);
    Py_CLEAR(self->name);
    Py_CLEAR(self->name_source);
    Py_CLEAR(self->hellos);
    return 0;
}

static void tally_dealloc(Flow *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    tally_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyObject *tally_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    Key key;
    long long number, time_us;
    int side;
    PyObject *tuple;
    if (keywords && PyDict_Size(keywords))
        return PyErr_Format(PyExc_TypeError, "a conversation takes no keywords");
    if (!PyArg_ParseTuple(arguments, "LOiL:Tally", &number, &tuple, &side, &time_us) || read_key(tuple, &key))
        return NULL;
    if (side & ~1)
        return PyErr_Format(PyExc_ValueError, "an end is 0 or 1");
    Flow *self = (Flow *)PyType_GenericAlloc(type, 0); /* zeroed */
    if (self)
        tally_begin(self, &key, number, side, time_us);
    return (PyObject *)self;
}

#define NUMBER(name, type, flags) {#name, type, offsetof(Flow, name), flags, NULL}

static PyMemberDef TALLY_MEMBERS[] = {
    NUMBER(number, T_LONGLONG, READONLY), NUMBER(began_us, T_LONGLONG, 0), NUMBER(first_us, T_LONGLONG, 0),
    NUMBER(last_us, T_LONGLONG, 0), NUMBER(idle_us, T_LONGLONG, 0), NUMBER(slot, T_LONGLONG, 0),
    NUMBER(first_side, T_INT, READONLY), NUMBER(syn, T_INT, 0), NUMBER(asker, T_INT, 0), NUMBER(closed, T_INT, 0),
    NUMBER(wants, T_INT, 0), NUMBER(hello_count, T_INT, 0), NUMBER(begun, T_BOOL, 0), NUMBER(confirmed, T_BOOL, 0),
    NUMBER(inspector, T_OBJECT, 0), NUMBER(service, T_OBJECT, 0), NUMBER(name, T_OBJECT, 0),
    NUMBER(name_source, T_OBJECT, 0), NUMBER(hellos, T_OBJECT, 0), {NULL, 0, 0, 0, NULL},
};

#define PAIR(name) {#name, (getter)get_pair, (setter)set_pair, NULL, (void *)offsetof(Flow, name)}

static PyGetSetDef TALLY_PROPERTIES[] = {
    PAIR(packets), PAIR(bytes), PAIR(macs), PAIR(ends), PAIR(isn),
    {"key", (getter)get_key, NULL, NULL, NULL},
    {"slices", (getter)get_slices, (setter)set_slices, NULL, NULL},
    {"sliced", (getter)get_sliced, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef TALLY_METHODS[] = {
    {"seen", (PyCFunction)tally_seen, METH_O, "seen(spans): stretch the spans of both ends."},
    {"port", (PyCFunction)tally_port, METH_O, "port(side): of an end, -1 where the protocol has none."},
    {"group", (PyCFunction)tally_group, METH_O, "group(side): 0, 1 for an address of many, 2 for the limited broadcast."},
    {"traits", (PyCFunction)tally_traits, METH_O, "traits(client): what decides the kind of the flow."},
    {"tell", (PyCFunction)tally_tell, METH_VARARGS, "tell(flows, spans, otherwise, live, makers): see daemon/flow/tally.py."},
    {"row", (PyCFunction)tally_row, METH_VARARGS, "row(client, kind, end, live): the fields of a FlowFact."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot TALLY_SLOTS[] = {
    {Py_tp_doc, "Tally(number, key, side, time_us): see daemon/flow/tally.py."},
    {Py_tp_new, tally_new},
    {Py_tp_dealloc, tally_dealloc},
    {Py_tp_traverse, tally_traverse},
    {Py_tp_clear, tally_clear},
    {Py_tp_members, TALLY_MEMBERS},
    {Py_tp_getset, TALLY_PROPERTIES},
    {Py_tp_methods, TALLY_METHODS},
    {0, NULL},
};

static PyType_Spec TALLY_SPEC = {
    .name = "daemon.flow._core.Tally",
    .basicsize = sizeof(Flow),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = TALLY_SLOTS,
};

#endif
