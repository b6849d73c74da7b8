/* What is counted of one conversation, as a Python object: the twin of Tally in daemon/flow/tally.py, which is its oracle.

   Rule 1: its fields are those of the Python class, under the same names; what only Python uses (what payloads taught) is
           kept here too, so that a conversation is made without running Python.
   Rule 2: pairs are by end, 0 and 1, and are seen from Python as tuples.
   Rule 3: while all packets lie in one slot, `slices` is NULL and the totals are that slot's. After that `cell` holds what
           was counted in `slot` and does not stand in the dict yet. */

#ifndef HOMEPORT_FLOW_CORE_TALLY_H
#define HOMEPORT_FLOW_CORE_TALLY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>

#include "_core_keys.h"

typedef struct Flow {
    PyObject_HEAD
    Key key;
    uint64_t hash;
    struct Flow *before, *after; /* in the order in which they began */
    long long number, began_us, first_us, last_us, idle_us, slot;
    long long packets[2], bytes[2], cell[4];
    long long macs[2], ends[2], isn[2];
    int first_side, syn, asker, closed, wants, hello_count;
    char begun, confirmed;
    PyObject *key_tuple, *slices; /* NULL until needed */
    PyObject *inspector, *service, *name, *name_source, *hellos; /* NULL is None */
} Flow;

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { ICMPV6 = 58, TCP = 6, UDP = 17, BOTH = 3 };

#define SECOND 1000000LL
#define CLOSED_IDLE_US (10 * SECOND)

/* --- what the core does with it; 0, or -1 with an exception set --- */

/* A fresh conversation is all zeros otherwise. */
static void tally_begin(Flow *flow, const Key *key, long long number, int side, long long time_us)
{
    int protocol = key_protocol(key);
    flow->key = *key;
    flow->number = number;
    flow->first_us = flow->last_us = flow->began_us = time_us;
    flow->idle_us = (protocol == TCP ? 3600 : protocol == UDP ? 180 : 60) * SECOND;
    flow->wants = protocol == TCP || protocol == UDP || protocol == ICMPV6 ? BOTH : 0;
    flow->first_side = side;
    flow->syn = flow->asker = -1;
    for (int end = 0; end < 2; end++)
        flow->macs[end] = flow->ends[end] = flow->isn[end] = -1;
}

/* Put what was counted in `slot` into `slices`. */
static int tally_spill(Flow *flow, const long long cell[4])
{
    if (!cell[0] && !cell[1])
        return 0;
    PyObject *slot = PyLong_FromLongLong(flow->slot), *sum = slot ? PyList_New(4) : NULL;
    PyObject *known = sum ? PyDict_GetItemWithError(flow->slices, slot) : NULL;
    int failed = !sum || PyErr_Occurred();
    for (int i = 0; i < 4 && !failed; i++) {
        PyObject *before = known ? PyList_GetItem(known, i) : NULL; /* a list of four, unless somebody made it otherwise */
        long long value = before ? PyLong_AsLongLong(before) : 0;
        PyObject *number = PyErr_Occurred() ? NULL : PyLong_FromLongLong(value + cell[i]);
        failed = !number || PyList_SetItem(sum, i, number);
    }
    failed = failed || PyDict_SetItem(flow->slices, slot, sum);
    Py_XDECREF(slot), Py_XDECREF(sum);
    return failed ? -1 : 0;
}

static int tally_turn(Flow *flow, long long slot)
{
    const long long sum[4] = {flow->packets[0], flow->packets[1], flow->bytes[0], flow->bytes[1]};
    if (sum[0] || sum[1]) {
        int fresh = !flow->slices;
        if (fresh && !(flow->slices = PyDict_New()))
            return -1;
        if (tally_spill(flow, fresh ? sum : flow->cell))
            return -1;
        memset(flow->cell, 0, sizeof flow->cell);
    }
    flow->slot = slot;
    return 0;
}

static inline int tally_count(Flow *flow, int side, long long time_us, long long slot, long long size)
{
    if (slot != flow->slot && tally_turn(flow, slot))
        return -1;
    flow->packets[side]++;
    flow->bytes[side] += size;
    if (flow->slices) {
        flow->cell[side]++;
        flow->cell[2 + side] += size;
    }
    if (time_us < flow->first_us)
        flow->first_us = time_us;
    if (time_us > flow->last_us)
        flow->last_us = time_us;
    return 0;
}

static void tally_flags(Flow *flow, int side, int flags, long long seq)
{
    if (flags & SYN) {
        long long begin = (seq + 1) & 0xFFFFFFFF;
        if (!(flags & ACK) && flow->isn[side] != -1 && flow->isn[side] != begin)
            flow->isn[1 - side] = -1;
        flow->isn[side] = begin;
        if (flow->syn < 0) {
            flow->syn = flags & ACK ? 1 - side : side;
            flow->begun = 1;
        }
    }
    if (flags & (FIN | RST)) {
        flow->closed |= flags & (FIN | RST);
        flow->idle_us = CLOSED_IDLE_US;
    }
}

/* Stretch the span [first, last, has sent] of an end: Facts.saw. */
static int stretch_span(PyObject *spans, long long end, long long first_us, long long last_us, int sent)
{
    const long long news[3] = {first_us, last_us, sent};
    PyObject *number = PyLong_FromLongLong(end), *span = number ? PyDict_GetItemWithError(spans, number) : NULL;
    int failed = !number || PyErr_Occurred();
    if (!failed && !span) {
        span = Py_BuildValue("[LLi]", first_us, last_us, sent);
        failed = !span || PyDict_SetItem(spans, number, span);
        Py_XDECREF(span);
    } else {
        for (int i = 0; i < 3 && !failed; i++) {
            PyObject *item = PyList_GetItem(span, i);
            long long known = item ? PyLong_AsLongLong(item) : 0;
            failed = PyErr_Occurred() != NULL;
            if (failed || (i == 0 ? news[i] >= known : news[i] <= known))
                continue;
            PyObject *value = PyLong_FromLongLong(news[i]);
            failed = !value || PyList_SetItem(span, i, value);
        }
    }
    Py_XDECREF(number);
    return failed ? -1 : 0;
}

/* --- what Python sees --- */

static PyObject *tally_seen(Flow *self, PyObject *spans)
{
    if (!PyDict_Check(spans))
        return PyErr_Format(PyExc_TypeError, "spans are a dict");
    for (int side = 0; side < 2; side++) {
        int sent = self->packets[side] != 0;
        if (self->ends[side] >= 0 &&
            stretch_span(spans, self->ends[side], sent ? self->first_us : self->began_us,
                         sent ? self->last_us : self->began_us, sent))
            return NULL;
    }
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
    if (side < 0)
        return NULL;
    uint64_t high = self->key.words[2 * side], low = self->key.words[2 * side + 1];
    if (key_version(&self->key) == 4)
        return PyLong_FromLong(low == 0xFFFFFFFF ? 2 : low >> 28 == 14);
    return PyLong_FromLong(high >> 56 == 0xFF);
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

static PyObject *tally_row(Flow *self, PyObject *arguments)
{
    int client, live;
    PyObject *kind, *end;
    if (!PyArg_ParseTuple(arguments, "iOOp:row", &client, &kind, &end, &live))
        return NULL;
    if (client & ~1)
        return PyErr_Format(PyExc_ValueError, "an end is 0 or 1");
    int server = 1 - client;
    return Py_BuildValue("(LOLLNNOOONNNLLLLLL)", self->number, kind, self->ends[client], self->ends[server],
                         shown_port(self, client), shown_port(self, server), shown(self->name), shown(self->name_source), end,
                         PyBool_FromLong(self->begun), PyBool_FromLong(live), PyBool_FromLong(self->slices != NULL),
                         self->first_us, self->last_us, self->packets[client], self->packets[server], self->bytes[client],
                         self->bytes[server]);
}

static PyObject *get_pair(Flow *self, void *offset)
{
    const long long *pair = (const long long *)((const char *)self + (size_t)offset);
    return Py_BuildValue("(LL)", pair[0], pair[1]);
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
