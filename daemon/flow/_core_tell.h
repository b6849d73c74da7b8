/* What becomes of a flow that has ended: the row of its fact, and the kind that it is of.

   The twin of Tally.row and Tally.traits in daemon/flow/tally.py, and of Talk.release in conversation.py. */

#ifndef HOMEPORT_FLOW_CORE_TELL_H
#define HOMEPORT_FLOW_CORE_TELL_H

#include <Python.h>
#include <stdint.h>

#include "_core_packed.h"
#include "_core_tally.h"
#include "_core_tuples.h"

/* Stretch the spans of both ends; one that was only spoken to was seen when it began. Where `count` is not 0, soon. */
static int see_ends(const Flow *self, PyObject *spans, Span *pending, int count)
{
    for (int side = 0; side < 2; side++) {
        int sent = self->packets[side] != 0;
        Span span = {self->ends[side], sent ? self->first_us : self->began_us, sent ? self->last_us : self->began_us, 1, sent};
        if (span.end >= 0 && (count ? stretch_soon(spans, pending, count, &span) : spill_span(spans, &span)))
            return -1;
    }
    return 0;
}

/* 0, 1 for an address of many, 2 for the limited broadcast. */
static int group_of(const Key *key, int side)
{
    uint64_t high = key->words[2 * side], low = key->words[2 * side + 1];
    if (key_version(key) == 4)
        return low == 0xFFFFFFFF ? 2 : low >> 28 == 14;
    return high >> 56 == 0xFF;
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

/* The fields of a flow's fact, as a tuple or as the fact where its class is given. */
static PyObject *row_of(const Flow *self, int client, PyObject *kind, PyObject *end, int live, PyObject *type)
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
    enum { FIELDS = sizeof items / sizeof items[0] };
    return type ? fact_of(type, items, FIELDS) : tuple_of(items, FIELDS);
}

/* The same as a packed row; -1 with an exception set. */
static int pack_flow(const Flow *self, int client, PyObject *kind, PyObject *end, int live, Packed *facts)
{
    Cell *row = is_of(facts, FLOW_SHAPE) ? packed_room(facts) : NULL;
    int server = 1 - client, port = key_port(&self->key, client), server_port = key_port(&self->key, server);
    if (!row)
        return -1;
    row[0].number = self->number;
    row[1].object = Py_NewRef(kind);
    row[2].number = self->ends[client];
    row[3].number = self->ends[server];
    row[4].number = port >= 0 ? port : NO_NUMBER;
    row[5].number = server_port >= 0 ? server_port : NO_NUMBER;
    row[6].object = Py_NewRef(shown(self->name));
    row[7].object = Py_NewRef(shown(self->name_source));
    row[8].object = Py_NewRef(end);
    row[9].number = self->begun;
    row[10].number = live;
    row[11].number = self->slices != NULL;
    row[12].number = self->first_us;
    row[13].number = self->last_us;
    row[14].number = self->packets[client];
    row[15].number = self->packets[server];
    row[16].number = self->bytes[client];
    row[17].number = self->bytes[server];
    facts->count++;
    return 0;
}

/* The client's port, 0 where a service was shown. */
static int asking_port(const Flow *self, int client)
{
    return self->service && self->service != Py_None ? 0 : key_port(&self->key, client);
}

static PyObject *traits_of(const Flow *self, int client, int asking)
{
    int server = 1 - client;
    PyObject *const items[] = {
        PyLong_FromLong(key_protocol(&self->key)), PyLong_FromLong(key_version(&self->key)),
        PyLong_FromLong(key_tunnel(&self->key)), Py_NewRef(shown(self->service)), PyBool_FromLong(self->confirmed),
        PyLong_FromLong(key_port(&self->key, server)), PyLong_FromLong(asking),
        PyLong_FromLong(group_of(&self->key, server)),
    };
    return tuple_of(items, sizeof items / sizeof items[0]);
}

/* What telling a flow needs of Python, borrowed: see daemon/flow/conversation.py. */
typedef struct {
    PyObject *fact, *kind_of, *is_doh, *ends;
    PyObject *hello, *fields; /* HelloFact; names of a Hello: who sent it, which it is, when, and all that the fact has too */
    PyObject *server_of; /* which of two ports is the server's */
    PyObject *asking; /* bytes by port: whether that of the client matters to the kind */
} Makers;

enum { PORTS = 65536 };

static int read_makers(PyObject *tuple, Makers *makers)
{
    if (!PyArg_ParseTuple(tuple, "O!OOO!O!O!OS:makers", &PyType_Type, &makers->fact, &makers->kind_of, &makers->is_doh,
                          &PyTuple_Type, &makers->ends, &PyType_Type, &makers->hello, &PyTuple_Type, &makers->fields,
                          &makers->server_of, &makers->asking))
        return -1;
    if (PyType_IsSubtype((PyTypeObject *)makers->fact, &PyTuple_Type) &&
        PyType_IsSubtype((PyTypeObject *)makers->hello, &PyTuple_Type) && PyBytes_Size(makers->asking) == PORTS)
        return 0;
    PyErr_SetString(PyExc_TypeError, "makers: facts are tuples, and there are 65536 ports");
    return -1;
}

/* Read a tuple again that `read_makers` has read: what is asked for each flow need not be looked at again. */
static Makers known_makers(PyObject *tuple)
{
    return (Makers){
        PyTuple_GetItem(tuple, 0), PyTuple_GetItem(tuple, 1), PyTuple_GetItem(tuple, 2), PyTuple_GetItem(tuple, 3),
        PyTuple_GetItem(tuple, 4), PyTuple_GetItem(tuple, 5), PyTuple_GetItem(tuple, 6), PyTuple_GetItem(tuple, 7),
    };
}

/* Kinds of flows found lately, by all that decides them; the service by identity, as the same words are used again and
   again. Part of Core, which visits and clears them. */
typedef struct {
    uint64_t key; /* 0: free */
    PyObject *service, *kind; /* owned; the service may be NULL */
} Kind;

enum { KINDS = 256 }; /* a power of two */

/* Whether the name of a flow is a resolver's; -1 on error. */
static int is_doh_flow(const Flow *self, const Makers *makers)
{
    if (!self->name || self->name == Py_None)
        return 0;
    PyObject *doh = PyObject_CallFunctionObjArgs(makers->is_doh, self->name, NULL);
    int answer = doh ? PyObject_IsTrue(doh) : -1;
    Py_XDECREF(doh);
    return answer;
}

/* The kind of the flow, kind_of(traits, doh), looked up in `kinds` first, which may be NULL. A new reference. */
static PyObject *kind_of_flow(const Flow *self, int client, const Makers *makers, Kind *kinds)
{
    PyObject *service = self->service == Py_None ? NULL : self->service;
    int doh = is_doh_flow(self, makers), server = 1 - client;
    if (doh < 0)
        return NULL;
    int ports[2] = {key_port(&self->key, server), asking_port(self, client)};
    if (ports[0] >= PORTS || ports[1] >= PORTS)
        kinds = NULL; /* ports of no packet */
    else if (ports[1] > 0 && !PyBytes_AsString(makers->asking)[ports[1]])
        ports[1] = 0; /* any of many, under which Python would make the same kind again and again */
    uint64_t key = 1;
    key = key << 17 | (uint64_t)(ports[0] + 1);
    key = key << 17 | (uint64_t)(ports[1] + 1);
    key = key << 9 | (uint64_t)(key_protocol(&self->key) + 1);
    key = key << 4 | (uint64_t)key_version(&self->key);
    key = key << 8 | (uint64_t)key_tunnel(&self->key);
    key = key << 4 | (uint64_t)(group_of(&self->key, server) << 2 | (self->confirmed != 0) << 1 | doh);
    Kind *known = kinds ? &kinds[((key ^ (uintptr_t)service >> 4) * 0x9E3779B97F4A7C15) >> 40 & (KINDS - 1)] : NULL;
    if (known && known->key == key && known->service == service)
        return Py_NewRef(known->kind);
    PyObject *traits = traits_of(self, client, ports[1]);
    PyObject *kind = traits ? PyObject_CallFunctionObjArgs(makers->kind_of, traits, doh ? Py_True : Py_False, NULL) : NULL;
    Py_XDECREF(traits);
    if (kind && known) {
        Kind before = *known;
        *known = (Kind){key, service, Py_NewRef(kind)};
        Py_XINCREF(service);
        Py_XDECREF(before.service), Py_XDECREF(before.kind);
    }
    return kind;
}

/* Add the HelloFact of a Hello to a list, or to packed rows. */
static int tell_one(const Flow *self, PyObject *hello, PyObject *facts, const Makers *makers)
{
    enum { SIDE, OWN = 7, MOST = 32 }; /* fields before those that a Hello has, and all together */
    Py_ssize_t count = PyTuple_Size(makers->fields) - 3;
    PyObject *items[MOST], *sender = PyObject_GetAttr(hello, PyTuple_GetItem(makers->fields, SIDE));
    long side = sender ? PyLong_AsLong(sender) : -1, ends[2] = {side, 1 - side};
    Py_XDECREF(sender);
    if (side & ~1 || count < 0 || count > MOST - OWN) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "not a hello");
        return -1;
    }
    items[0] = PyLong_FromLongLong(self->number);
    for (int i = 0; i < 2; i++) {
        items[1 + i] = PyObject_GetAttr(hello, PyTuple_GetItem(makers->fields, 1 + i));
        items[3 + 2 * i] = PyLong_FromLongLong(self->ends[ends[i]]);
        items[4 + 2 * i] = PyLong_FromLong(key_port(&self->key, (int)ends[i]));
    }
    for (Py_ssize_t i = 0; i < count; i++)
        items[OWN + i] = PyObject_GetAttr(hello, PyTuple_GetItem(makers->fields, 3 + i));
    return add_items(facts, makers->hello, items, OWN + count);
}

/* Add the facts of the hellos of a flow: Talk.release. */
static int tell_hellos(const Flow *self, PyObject *facts, const Makers *makers)
{
    Py_ssize_t count = PySequence_Size(self->hellos);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *hello = PySequence_GetItem(self->hellos, i);
        int failed = !hello || tell_one(self, hello, facts, makers);
        Py_XDECREF(hello);
        if (failed)
            return -1;
    }
    return count < 0 ? -1 : 0;
}

/* Which end is the client: Talk.client. -1 with an exception set where that cannot be told. */
static int client_of(const Flow *self, const Makers *makers)
{
    int protocol = key_protocol(&self->key), known = self->syn >= 0 ? self->syn : self->asker;
    if (known >= 0)
        return known;
    if (protocol != TCP && protocol != UDP)
        return self->first_side;
    PyObject *asked[] = {PyLong_FromLong(protocol), PyLong_FromLong(key_port(&self->key, 0)), PyLong_FromLong(key_port(&self->key, 1))};
    PyObject *found = asked[0] && asked[1] && asked[2]
                          ? PyObject_CallFunctionObjArgs(makers->server_of, asked[0], asked[1], asked[2], NULL)
                          : NULL;
    Py_XDECREF(asked[0]), Py_XDECREF(asked[1]), Py_XDECREF(asked[2]);
    long server = found ? PyLong_AsLong(found) : -1;
    Py_XDECREF(found);
    return PyErr_Occurred() ? -1 : server & ~1 ? self->first_side : 1 - (int)server;
}

/* Add the fact of a flow to a list, or to packed rows. */
static int add_flow(const Flow *self, int client, PyObject *kind, PyObject *end, int live, PyObject *flows, PyObject *type)
{
    Packed *rows = packed_of(flows);
    if (rows)
        return pack_flow(self, client, kind, end, live, rows);
    PyObject *fact = row_of(self, client, kind, end, live, type);
    int failed = !fact || PyList_Append(flows, fact);
    Py_XDECREF(fact);
    return failed ? -1 : 0;
}

/* Add the flow to the facts; 1, 0 where that is for Python (an end that is none), or -1. `pending` and `count`: see
   `see_ends`. */
static int tell(const Flow *self, PyObject *flows, PyObject *spans, Span *pending, int count, PyObject *otherwise, int live,
                const Makers *makers, Kind *kinds)
{
    int client = client_of(self, makers);
    if (client < 0)
        return -1;
    if (client > 1)
        return 0;
    PyObject *end = self->closed ? PyTuple_GetItem(makers->ends, self->closed & RST ? 0 : 1) : otherwise; /* borrowed */
    PyObject *kind = end ? kind_of_flow(self, client, makers, kinds) : NULL;
    int failed = !kind || add_flow(self, client, kind, end, live, flows, makers->fact) || see_ends(self, spans, pending, count);
    Py_XDECREF(kind);
    return failed ? -1 : 1;
}

#endif
