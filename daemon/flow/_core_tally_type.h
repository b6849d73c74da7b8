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
#include "_core_tell.h"

static PyObject *tally_seen(Flow *self, PyObject *spans)
{
    if (!PyDict_Check(spans))
        return PyErr_Format(PyExc_TypeError, "spans are a dict");
    if (see_ends(self, spans, NULL, 0))
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

static PyObject *tally_group(Flow *self, PyObject *number)
{
    int side = read_side(number);
    return side < 0 ? NULL : PyLong_FromLong(group_of(&self->key, side));
}

static PyObject *tally_row(Flow *self, PyObject *arguments)
{
    int client, live;
    PyObject *kind, *end;
    if (!PyArg_ParseTuple(arguments, "iOOp:row", &client, &kind, &end, &live))
        return NULL;
    if (client & ~1)
        return PyErr_Format(PyExc_ValueError, "an end is 0 or 1");
    Cell row[MOST_CELLS];
    flow_cells(self, client, kind, end, live, row);
    PyObject *fields = fact_of_cells(NULL, FLOW_SHAPE, row);
    for (int i = 0; FLOW_SHAPE[i]; i++)
        if (FLOW_SHAPE[i] == 'o')
            Py_DECREF(row[i].object);
    return fields;
}

static PyObject *tally_traits(Flow *self, PyObject *number)
{
    int client = read_side(number);
    return client < 0 ? NULL : traits_of(self, client, asking_port(self, client));
}

static PyObject *tally_tell(Flow *self, PyObject *arguments)
{
    PyObject *flows, *spans, *otherwise, *tuple;
    Makers makers;
    int live;
    if (!PyArg_ParseTuple(arguments, "OO!UpO!:tell", &flows, &PyDict_Type, &spans, &otherwise, &live, &PyTuple_Type, &tuple) ||
        read_makers(tuple, &makers))
        return NULL;
    if (!PyList_Check(flows) && !packed_of(flows))
        return PyErr_Format(PyExc_TypeError, "facts are a list, or packed");
    int told = tell(self, flows, spans, NULL, 0, otherwise, live, &makers, NULL);
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
