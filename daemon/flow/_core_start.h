/* Starts of connections that the core reads by itself: what those of TCP and UDP (`_core_tcp.h`, `_core_udp.h`) share.

   Rule 1: a start stands where the inspector of its flow would, and does what that does, for connections in which nothing is
           unusual. Whatever is, it leaves as it found it, and turns into the inspector (`hand_over`), which takes it anew.
   Rule 2: a start keeps what an inspector keeps, and `state()` says it in the same words.
   Rule 3: bytes are read by daemon/decode, in C where that was built; here is only what their order means. */

#ifndef HOMEPORT_FLOW_CORE_START_H
#define HOMEPORT_FLOW_CORE_START_H

#include <Python.h>
#include <stdint.h>

#include "_core_flow.h"

typedef struct {
    PyObject *payload; /* bytes, borrowed */
    int side;
    int64_t time_us, seq;
} Piece;

static PyObject *start_of(const Core *self, int name)
{
    return self->starts[name];
}

/* Whether the inspector of the flow is a start of this type. */
static int has_start(const Core *self, const Flow *flow, int type)
{
    return flow->inspector && (PyObject *)Py_TYPE(flow->inspector) == start_of(self, type);
}

static int has_inspector(const Flow *flow)
{
    return flow->inspector && flow->inspector != Py_None;
}

/* Put in place of the flow's inspector. Takes over the reference. */
static void set_inspector(Flow *flow, PyObject *inspector)
{
    PyObject *before = flow->inspector;
    flow->inspector = inspector;
    Py_XDECREF(before);
}

/* Put an object in place of another, whose reference goes. Takes over that of the new one, which may be NULL. */
static void replace(PyObject **place, PyObject *object)
{
    PyObject *before = *place;
    *place = object;
    Py_XDECREF(before);
}

static PyObject *hello_index(PyObject *hello)
{
    return hello ? attribute(hello, "index") : PyLong_FromLong(-1);
}

static PyObject *hex_of(PyObject *bytes)
{
    PyObject *method = bytes ? attribute(bytes, "hex") : NULL;
    PyObject *text = method ? PyObject_CallNoArgs(method) : NULL;
    Py_XDECREF(method);
    return bytes ? text : PyUnicode_FromString("");
}

/* Make the inspector that goes on from `state`, whose reference this takes. 0, or -1 with an exception set. */
static int hand_over(Core *self, Flow *flow, PyObject *state, PyObject *hello, int restore)
{
    PyObject *hellos = state ? PyDict_New() : NULL, *index = hellos ? hello_index(hello) : NULL, *inspector = NULL;
    if (index && (!hello || !PyDict_SetItem(hellos, index, hello)))
        inspector = PyObject_CallFunctionObjArgs(start_of(self, restore), state, hellos, NULL);
    Py_XDECREF(state), Py_XDECREF(hellos), Py_XDECREF(index);
    if (!inspector)
        return -1;
    set_inspector(flow, inspector);
    return 0;
}

/* Talk.recognised. */
static void learn_service(Flow *flow, PyObject *service)
{
    if (flow->confirmed && PyUnicode_CompareWithASCIIString(service, "tls") &&
        PyUnicode_CompareWithASCIIString(service, "quic"))
        return;
    replace(&flow->service, Py_NewRef(service));
    flow->confirmed = 1;
}

enum { C_NAME, C_PROTOCOLS, C_VERSION, C_RANDOM, C_ECH, C_JA4, CLIENT_FIELDS }; /* what parse_client_hello of `_hello.c` answers */
enum { H_INDEX, H_SEEN, H_SIDE, H_SOURCE, H_NAME, H_ALPN, H_VERSION, H_ECH = 9, H_JA4, H_RANDOM = 14, HELLO_FIELDS }; /* a Hello */

/* Py_None in place of an empty text, whose reference goes; NULL stays. */
static PyObject *text_or_none(PyObject *text)
{
    if (!text || PyUnicode_GetLength(text) != 0)
        return text;
    Py_DECREF(text);
    return Py_NewRef(Py_None);
}

static PyObject *alpn_of(const Core *self, PyObject *protocols)
{
    return PyTuple_Size(protocols) ? text_or_none(PyUnicode_Join(start_of(self, S_COMMA), protocols)) : Py_NewRef(Py_None);
}

/* The Hello of what was read of it: tls_hello in hello.py. */
static PyObject *make_hello(Core *self, const Flow *flow, const Piece *piece, int64_t since_us, int source, PyObject *const *said)
{
    PyObject *items[HELLO_FIELDS];
    for (int i = 0; i < HELLO_FIELDS; i++)
        items[i] = Py_NewRef(Py_None);
    replace(&items[H_INDEX], PyLong_FromLong(flow->hello_count));
    replace(&items[H_SEEN], PyLong_FromLongLong(since_us));
    replace(&items[H_SIDE], PyLong_FromLong(piece->side));
    replace(&items[H_SOURCE], Py_NewRef(start_of(self, source)));
    replace(&items[H_NAME], Py_NewRef(said[C_NAME]));
    replace(&items[H_ALPN], alpn_of(self, said[C_PROTOCOLS]));
    replace(&items[H_VERSION], text_or_none(PyObject_CallFunctionObjArgs(start_of(self, S_VERSION), said[C_VERSION], NULL)));
    replace(&items[H_ECH], Py_NewRef(said[C_ECH]));
    replace(&items[H_JA4], text_or_none(PyObject_CallFunctionObjArgs(start_of(self, S_JA4), said[C_JA4], NULL)));
    replace(&items[H_RANDOM], hex_of(said[C_RANDOM]));
    PyObject *arguments = tuple_of(items, HELLO_FIELDS);
    PyObject *hello = arguments ? PyObject_Call(start_of(self, S_HELLO), arguments, NULL) : NULL;
    Py_XDECREF(arguments);
    return hello;
}

/* Talk.said, for a handshake. */
static int learn_hello(Core *self, Flow *flow, PyObject *hello, int source, PyObject *name, PyObject *protocols)
{
    int known = flow->name && flow->name != Py_None;
    if (name != Py_None && (!known || !PyUnicode_CompareWithASCIIString(flow->name_source, "http"))) {
        replace(&flow->name, Py_NewRef(name));
        replace(&flow->name_source, Py_NewRef(start_of(self, source)));
    }
    for (int which = S_DOQ; which <= S_DOT; which++) {
        int spoken = PySequence_Contains(protocols, start_of(self, which));
        if (spoken < 0)
            return -1;
        if (spoken)
            replace(&flow->service, Py_NewRef(start_of(self, which)));
    }
    PyObject *hellos = flow->hellos && flow->hellos != Py_None ? PySequence_List(flow->hellos) : PyList_New(0);
    if (!hellos || PyList_Append(hellos, hello)) {
        Py_XDECREF(hellos);
        return -1;
    }
    replace(&flow->hellos, hellos);
    return 0;
}

/* Tell a hello whose message is whole, by `source` (S_TLS, S_QUIC). The Hello, NULL without an error where it is not usual
   and nothing was told. */
static PyObject *tell_hello(Core *self, Flow *flow, const Piece *piece, int64_t since_us, int source, PyObject *message)
{
    PyObject *transport = start_of(self, source == S_TLS ? S_TLS_LETTER : S_QUIC_LETTER), *said[CLIENT_FIELDS], *hello = NULL;
    PyObject *found = PyObject_CallFunctionObjArgs(start_of(self, S_CLIENT), message, transport, NULL);
    if (found && found != Py_None &&
        PyArg_ParseTuple(found, "OO!O!SOU:client", &said[C_NAME], &PyTuple_Type, &said[C_PROTOCOLS], &PyLong_Type,
                         &said[C_VERSION], &said[C_RANDOM], &said[C_ECH], &said[C_JA4]))
        hello = make_hello(self, flow, piece, since_us, source, said);
    if (hello) {
        flow->hello_count++;
        if (flow->asker < 0)
            flow->asker = piece->side;
        learn_service(flow, start_of(self, source));
        if (learn_hello(self, flow, hello, source, said[C_NAME], said[C_PROTOCOLS]))
            Py_CLEAR(hello);
    }
    Py_XDECREF(found);
    return hello;
}

#endif
