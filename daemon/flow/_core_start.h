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

/* The payload of a row. */
typedef struct {
    const uint8_t *bytes;
    Py_ssize_t size;
    PyObject *payload; /* the same as an object, owned; NULL until asked for */
    int side;
    int64_t time_us, seq;
} Piece;

/* 0, or -1 with an exception set; `piece_close` afterwards in either case. */
static int piece_open(Piece *piece, const Rows *rows, Py_ssize_t row, int side)
{
    *piece = (Piece){.side = side, .time_us = CELL(rows, TIME_US, int64_t, row), .seq = CELL(rows, TCP_SEQ, int64_t, row)};
    if (rows->special && rows->special[row]) {
        char *bytes;
        piece->payload = row_payload(rows, row);
        if (!piece->payload || PyBytes_AsStringAndSize(piece->payload, &bytes, &piece->size))
            return -1;
        piece->bytes = (const uint8_t *)bytes;
        return 0;
    }
    piece->size = (Py_ssize_t)CELL(rows, PAYLOAD_SIZE, int64_t, row);
    piece->bytes = rows_bytes(rows, CELL(rows, PAYLOAD_OFFSET, int64_t, row), piece->size);
    return piece->bytes ? 0 : -1;
}

/* The payload as an object; borrowed, NULL with an exception set. */
static PyObject *piece_payload(Piece *piece)
{
    if (!piece->payload)
        piece->payload = PyBytes_FromStringAndSize((const char *)piece->bytes, piece->size);
    return piece->payload;
}

static void piece_close(Piece *piece)
{
    Py_CLEAR(piece->payload);
}

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

static PyObject *hello_index(const Hello *hello)
{
    return PyLong_FromLongLong(hello ? hello->index : -1);
}

static PyObject *hex_of(PyObject *bytes)
{
    PyObject *method = bytes ? attribute(bytes, "hex") : NULL;
    PyObject *text = method ? PyObject_CallNoArgs(method) : NULL;
    Py_XDECREF(method);
    return bytes ? text : PyUnicode_FromString("");
}

/* What a version or a cipher suite (S_VERSION, S_CIPHER) of this number is called; a new reference. */
static PyObject *word_of(Core *self, int kind, long code)
{
    Word *known = &self->words[((unsigned long)code ^ (unsigned long)code >> 6 ^ (unsigned)kind) & (WORDS - 1)];
    if (!known->text || known->kind != kind || known->code != code) {
        PyObject *number = PyLong_FromLong(code);
        PyObject *text = number ? PyObject_CallFunctionObjArgs(start_of(self, kind), number, NULL) : NULL;
        Py_XDECREF(number);
        if (!text)
            return NULL;
        Word before = *known;
        *known = (Word){text, kind, code};
        Py_XDECREF(before.text);
    }
    return Py_NewRef(known->text);
}

/* Make the inspector that goes on from `state`, whose reference this takes. 0, or -1 with an exception set. */
static int hand_over(Core *self, Flow *flow, PyObject *state, Hello *hello, int restore)
{
    PyObject *hellos = state ? PyDict_New() : NULL, *index = hellos ? hello_index(hello) : NULL, *inspector = NULL;
    if (index && (!hello || !PyDict_SetItem(hellos, index, (PyObject *)hello)))
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

/* The random of a message as text. */
static PyObject *random_text(const uint8_t *message)
{
    char text[2 * HELLO_RANDOM_SIZE];
    const uint8_t *at = message + HELLO_RANDOM;
    for (int i = 0; i < (int)sizeof text; i++)
        text[i] = "0123456789abcdef"[i & 1 ? at[i / 2] & 15 : at[i / 2] >> 4];
    return PyUnicode_FromStringAndSize(text, sizeof text);
}

/* Py_None in place of an empty text, whose reference goes; NULL stays. */
static PyObject *text_or_none(PyObject *text)
{
    if (!text || PyUnicode_GetLength(text) != 0)
        return text;
    Py_DECREF(text);
    return Py_NewRef(Py_None);
}

/* The Hello of what was read of it: tls_hello in hello.py. */
static Hello *make_hello(Core *self, const Flow *flow, const Piece *piece, int64_t since_us, int source,
                         const HelloRead *read, const uint8_t *message)
{
    Hello *hello = (Hello *)PyType_GenericAlloc((PyTypeObject *)start_of(self, S_HELLO), 0); /* zeroed */
    if (!hello)
        return NULL;
    hello->index = flow->hello_count;
    hello->seen_us = since_us;
    hello->side = piece->side;
    PyObject **texts = hello->texts;
    texts[H_SOURCE] = Py_NewRef(start_of(self, source));
    texts[H_NAME] = Py_NewRef(read->name);
    texts[H_ALPN] = Py_NewRef(read->protocols);
    texts[H_VERSION] = text_or_none(word_of(self, S_VERSION, read->version));
    texts[H_ECH] = Py_NewRef(read->ech);
    texts[H_JA4] = text_or_none(PyObject_CallFunctionObjArgs(start_of(self, S_JA4), read->ja4, NULL));
    texts[H_RANDOM] = random_text(message);
    if (!texts[H_VERSION] || !texts[H_JA4] || !texts[H_RANDOM])
        Py_CLEAR(hello);
    return hello;
}

/* Talk.said, for a handshake. */
static int learn_hello(Core *self, Flow *flow, Hello *hello, int source, int speaks)
{
    int known = flow->name && flow->name != Py_None;
    PyObject *name = hello->texts[H_NAME];
    if (name != Py_None && (!known || !PyUnicode_CompareWithASCIIString(flow->name_source, "http"))) {
        replace(&flow->name, Py_NewRef(name));
        replace(&flow->name_source, Py_NewRef(start_of(self, source)));
    }
    if (speaks)
        replace(&flow->service, Py_NewRef(start_of(self, speaks & SPEAKS_DOT ? S_DOT : S_DOQ)));
    PyObject *hellos = flow->hellos && flow->hellos != Py_None ? PySequence_List(flow->hellos) : PyList_New(0);
    if (!hellos || PyList_Append(hellos, (PyObject *)hello)) {
        Py_XDECREF(hellos);
        return -1;
    }
    replace(&flow->hellos, hellos);
    return 0;
}

/* Tell a hello whose message is whole, by `source` (S_TLS, S_QUIC). The Hello, NULL without an error where it is not usual
   and nothing was told. */
static Hello *tell_hello(Core *self, Flow *flow, const Piece *piece, int64_t since_us, int source, const uint8_t *message,
                         size_t size)
{
    HelloRead read;
    if (self->hellos->read(message, size, source == S_TLS ? 't' : 'q', &read) <= 0)
        return NULL;
    Hello *hello = make_hello(self, flow, piece, since_us, source, &read, message);
    if (hello) {
        flow->hello_count++;
        if (flow->asker < 0)
            flow->asker = piece->side;
        learn_service(flow, start_of(self, source));
        if (learn_hello(self, flow, hello, source, read.speaks))
            Py_CLEAR(hello);
    }
    forget_hello(&read);
    return hello;
}

#endif
