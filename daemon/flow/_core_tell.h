/* What becomes of a flow that has ended: the row of its fact, and the kind that it is of.

   The twin of Tally.row and Tally.traits in daemon/flow/tally.py, and of Talk.release in conversation.py. */

#ifndef HOMEPORT_FLOW_CORE_TELL_H
#define HOMEPORT_FLOW_CORE_TELL_H

#include <Python.h>
#include <stdint.h>

#include "../decode/_tuples.h"
#include "_core_hello.h"
#include "_core_packed.h"
#include "_core_tally.h"

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

static long long shown_port(const Flow *flow, int side)
{
    int port = key_port(&flow->key, side);
    return port >= 0 ? port : NO_NUMBER;
}

/* The fields of a flow's fact (FLOW_SHAPE), with references of their own. */
static void flow_cells(const Flow *self, int client, PyObject *kind, PyObject *end, int live, Cell *row)
{
    int server = 1 - client;
    row[0].number = self->number;
    row[1].object = Py_NewRef(kind);
    row[2].number = self->ends[client];
    row[3].number = self->ends[server];
    row[4].number = shown_port(self, client);
    row[5].number = shown_port(self, server);
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
    PyObject *known; /* bytes by port: what is known of it */
} Makers;

enum { PORTS = 65536, SYSTEM_PORTS = 1024, EPHEMERAL = 32768 };
enum { ASKS = 1, SERVES_TCP = 2, SERVES_UDP = 4 }; /* as in daemon/flow/services.py */

static int read_makers(PyObject *tuple, Makers *makers)
{
    if (!PyArg_ParseTuple(tuple, "O!OOO!O!O!S:makers", &PyType_Type, &makers->fact, &makers->kind_of, &makers->is_doh,
                          &PyTuple_Type, &makers->ends, &PyType_Type, &makers->hello, &PyTuple_Type, &makers->fields,
                          &makers->known))
        return -1;
    if (PyType_IsSubtype((PyTypeObject *)makers->fact, &PyTuple_Type) &&
        PyType_IsSubtype((PyTypeObject *)makers->hello, &PyTuple_Type) && PyBytes_Size(makers->known) == PORTS)
        return 0;
    PyErr_SetString(PyExc_TypeError, "makers: facts are tuples, and there are 65536 ports");
    return -1;
}

/* Read a tuple again that `read_makers` has read: what is asked for each flow need not be looked at again. */
static Makers known_makers(PyObject *tuple)
{
    return (Makers){
        PyTuple_GetItem(tuple, 0), PyTuple_GetItem(tuple, 1), PyTuple_GetItem(tuple, 2), PyTuple_GetItem(tuple, 3),
        PyTuple_GetItem(tuple, 4), PyTuple_GetItem(tuple, 5), PyTuple_GetItem(tuple, 6),
    };
}

/* What is known of a port, 0 where it is that of no packet. */
static int known_of(const Makers *makers, int port)
{
    return port >= 0 && port < PORTS ? PyBytes_AsString(makers->known)[port] : 0;
}

/* Kinds of flows found lately, by all that decides them; the service by identity, as the same words are used again and
   again. Part of Core, which visits and clears them. */
typedef struct {
    uint64_t key; /* 0: free */
    PyObject *service, *kind; /* owned; the service may be NULL */
} Kind;

/* A server's name met lately, and whether it is a resolver's. */
typedef struct {
    PyObject *name; /* owned; NULL: free */
    int doh;
} Named;

enum { KINDS = 256, NAMED = 1024 }; /* powers of two */

/* Part of Core, which visits and clears it. */
typedef struct {
    Kind kinds[KINDS];
    Named names[NAMED];
} Lately;

/* Whether the name of a flow is a resolver's, looked up in `lately` first, which may be NULL; -1 on error. */
static int is_doh_flow(const Flow *self, const Makers *makers, Lately *lately)
{
    if (!self->name || self->name == Py_None)
        return 0;
    Py_hash_t hash = PyObject_Hash(self->name);
    if (hash == -1)
        return -1;
    Named *known = lately ? &lately->names[(uint64_t)hash & (NAMED - 1)] : NULL;
    if (known && known->name && (known->name == self->name || !PyUnicode_Compare(known->name, self->name)))
        return known->doh;
    PyObject *doh = PyErr_Occurred() ? NULL : PyObject_CallFunctionObjArgs(makers->is_doh, self->name, NULL);
    int answer = doh ? PyObject_IsTrue(doh) : -1;
    Py_XDECREF(doh);
    if (known && answer >= 0) {
        Named before = *known;
        *known = (Named){Py_NewRef(self->name), answer};
        Py_XDECREF(before.name);
    }
    return answer;
}

/* The kind of the flow, kind_of(traits, doh), looked up in `lately` first, which may be NULL. A new reference. */
static PyObject *kind_of_flow(const Flow *self, int client, const Makers *makers, Lately *lately)
{
    PyObject *service = self->service == Py_None ? NULL : self->service;
    Kind *kinds = lately ? lately->kinds : NULL;
    int doh = is_doh_flow(self, makers, lately), server = 1 - client;
    if (doh < 0)
        return NULL;
    int ports[2] = {key_port(&self->key, server), asking_port(self, client)};
    if (ports[0] >= PORTS || ports[1] >= PORTS)
        kinds = NULL; /* ports of no packet */
    else if (ports[1] > 0 && !(known_of(makers, ports[1]) & ASKS))
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

enum { HELLO_OWN = 7 }; /* fields of a HelloFact before those that a Hello has */

/* What a Hello that Python made says: side, index, time, and the texts of its fact. 0, or -1 with an exception set. */
static int read_hello(PyObject *hello, const Makers *makers, long long numbers[3], Cell *texts)
{
    Py_ssize_t count = PyTuple_Size(makers->fields) - 3;
    if (count != H_RANDOM) {
        PyErr_SetString(PyExc_ValueError, "not a hello");
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        PyObject *number = PyObject_GetAttr(hello, PyTuple_GetItem(makers->fields, i));
        numbers[i] = number ? PyLong_AsLongLong(number) : -1;
        Py_XDECREF(number);
        if (PyErr_Occurred())
            return -1;
    }
    if (numbers[0] & ~1) {
        PyErr_SetString(PyExc_ValueError, "an end is 0 or 1");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        texts[i].object = PyObject_GetAttr(hello, PyTuple_GetItem(makers->fields, 3 + i));
    return 0;
}

/* Add the HelloFact of a Hello to a list, or to packed rows. */
static int tell_one(const Flow *self, PyObject *hello, PyObject *facts, const Makers *makers)
{
    Cell row[MOST_CELLS];
    long long said[3]; /* side, index, time */
    if (is_hello(hello)) {
        const Hello *known = (const Hello *)hello;
        said[0] = known->side, said[1] = known->index, said[2] = known->seen_us;
        for (int i = 0; i < H_RANDOM; i++)
            row[HELLO_OWN + i].object = Py_NewRef(shown(known->texts[i]));
    } else if (read_hello(hello, makers, said, row + HELLO_OWN)) {
        return -1;
    }
    int side = (int)said[0];
    row[0].number = self->number;
    row[1].number = said[1];
    row[2].number = said[2];
    row[3].number = self->ends[side];
    row[4].number = key_port(&self->key, side);
    row[5].number = self->ends[1 - side];
    row[6].number = key_port(&self->key, 1 - side);
    return add_cells(facts, makers->hello, HELLO_SHAPE, row);
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

/* Which of two ports is the better known, hence the server's (server_port_of): 0 or 1, -1 where that cannot be told. */
static int server_of(const Flow *self, const Makers *makers)
{
    int serves = key_protocol(&self->key) == TCP ? SERVES_TCP : SERVES_UDP, evidence[3][2];
    for (int end = 0; end < 2; end++) {
        int port = key_port(&self->key, end);
        evidence[0][end] = (known_of(makers, port) & serves) != 0;
        evidence[1][end] = port < SYSTEM_PORTS;
        evidence[2][end] = port < EPHEMERAL;
    }
    for (int i = 0; i < 3; i++)
        if (evidence[i][0] != evidence[i][1])
            return evidence[i][0] ? 0 : 1;
    return -1;
}

/* Which end is the client: Talk.client. */
static int client_of(const Flow *self, const Makers *makers)
{
    int protocol = key_protocol(&self->key), known = self->syn >= 0 ? self->syn : self->asker;
    if (known >= 0)
        return known;
    int server = protocol == TCP || protocol == UDP ? server_of(self, makers) : -1;
    return server < 0 ? self->first_side : 1 - server;
}

/* Add the fact of a flow to a list, or to packed rows. */
static int add_flow(const Flow *self, int client, PyObject *kind, PyObject *end, int live, PyObject *flows, PyObject *type)
{
    Cell row[MOST_CELLS];
    flow_cells(self, client, kind, end, live, row);
    return add_cells(flows, type, FLOW_SHAPE, row);
}

/* Add the flow to the facts; 1, 0 where that is for Python (an end that is none), or -1. `pending` and `count`: see
   `see_ends`. */
static int tell(const Flow *self, PyObject *flows, PyObject *spans, Span *pending, int count, PyObject *otherwise, int live,
                const Makers *makers, Lately *lately)
{
    int client = client_of(self, makers);
    if (client > 1)
        return 0;
    PyObject *end = self->closed ? PyTuple_GetItem(makers->ends, self->closed & RST ? 0 : 1) : otherwise; /* borrowed */
    PyObject *kind = end ? kind_of_flow(self, client, makers, lately) : NULL;
    int failed = !kind || add_flow(self, client, kind, end, live, flows, makers->fact) || see_ends(self, spans, pending, count);
    Py_XDECREF(kind);
    return failed ? -1 : 1;
}

#endif
