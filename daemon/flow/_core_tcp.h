/* TLS at the start of a connection: TcpInspector of daemon/flow/tcp.py as long as segments come in order.

   A start begins with a segment that looks like a ClientHello, and takes the client's hello and what the server answers. */

#ifndef HOMEPORT_FLOW_CORE_TCP_H
#define HOMEPORT_FLOW_CORE_TCP_H

#include <Python.h>
#include <stdint.h>
#include <structmember.h>

#include "_core_start.h"

enum { MOST_HEAD = 16384, PATIENCE_TCP = 12, DNS_PORT = 53 }; /* past that many bytes the inspector goes on */
enum { F_MESSAGES = 0, F_DONE = 2, F_PARTIAL = 3 }; /* places in a Flight */
enum { M_CLIENT_HELLO = 1, M_SERVER_HELLO = 2, M_CERTIFICATE = 11 };

typedef struct {
    PyObject_HEAD
    long long expected[2], isn[2], since[2], need[2]; /* -1: none */
    int asked, wants, done;
    PyObject *heads[2]; /* bytes in order that were not used up; NULL: none */
    Hello *hello; /* NULL until the client's is whole */
} TcpStart;

static PyObject *tcp_stream(long long expected)
{
    return expected < 0 ? Py_BuildValue("[O[]]", Py_None) : Py_BuildValue("[L[]]", expected);
}

/* TcpInspector.state. */
static PyObject *tcp_state(TcpStart *self, PyObject *unused)
{
    (void)unused;
    const long long *isn = self->isn, *since = self->since, *need = self->need;
    return Py_BuildValue("[s[NN][NN][LL][LL]iNOiis[LL][ii]]", self->done ? "done" : "tls", tcp_stream(self->expected[0]),
                         tcp_stream(self->expected[1]), hex_of(self->heads[0]), hex_of(self->heads[1]), need[0], need[1],
                         since[0], since[1], self->asked, hello_index(self->hello), Py_None, PATIENCE_TCP, self->wants,
                         "new", isn[0], isn[1], 0, 0);
}

static TcpStart *tcp_begin(Core *self, const Flow *flow, int side)
{
    TcpStart *start = (TcpStart *)PyType_GenericAlloc((PyTypeObject *)start_of(self, S_TCP), 0); /* zeroed */
    for (int end = 0; start && end < 2; end++)
        start->expected[end] = start->isn[end] = flow->isn[end];
    if (start) {
        start->asked = side;
        start->wants = BOTH;
    }
    return start;
}

/* Whether a segment is the next of a direction that is read. Before the hello is whole the server has nothing to say. */
static int tcp_goes_on(const TcpStart *start, const Flow *flow, int side, int64_t seq)
{
    return !start->done && start->isn[0] == flow->isn[0] && start->isn[1] == flow->isn[1] && start->wants >> side & 1 &&
           (start->hello || side == start->asked) && (start->expected[side] < 0 || start->expected[side] == seq);
}

/* The first ClientHello of the messages; borrowed, NULL where there is none, or with an error. */
static PyObject *client_hello_in(PyObject *messages)
{
    Py_ssize_t count = PyTuple_Size(messages);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *message = PyTuple_GetItem(messages, i);
        char *bytes;
        Py_ssize_t size;
        if (!message || PyBytes_AsStringAndSize(message, &bytes, &size))
            return NULL;
        if (size && bytes[0] == M_CLIENT_HELLO)
            return message;
    }
    return NULL;
}

/* Whether a text of the hello is this, or with NULL, is there at all. */
static int hello_has(const Hello *hello, int place, const char *text)
{
    PyObject *known = hello->texts[place];
    return known && known != Py_None && (!text || !PyUnicode_CompareWithASCIIString(known, text));
}

/* Hello.answered: note what the server chose; 1, 0 where its hello is not usual, or -1. */
static int tcp_answered(Core *self, Hello *hello, PyObject *message)
{
    long version, cipher;
    PyObject *protocol, *retry, *found = PyObject_CallFunctionObjArgs(start_of(self, S_SERVER), message, NULL);
    if (!found || found == Py_None || !PyArg_ParseTuple(found, "llOO:server", &version, &cipher, &protocol, &retry)) {
        Py_XDECREF(found);
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *chosen = word_of(self, S_VERSION, version), *suite = chosen ? word_of(self, S_CIPHER, cipher) : NULL;
    if (suite) {
        replace(&hello->texts[H_CHOSEN_VERSION], Py_NewRef(chosen));
        replace(&hello->texts[H_CIPHER], Py_NewRef(suite));
        if (!hello_has(hello, H_ALPN, NULL) && protocol != Py_None && PyUnicode_GetLength(protocol) > 0)
            replace(&hello->texts[H_ALPN], Py_NewRef(protocol));
    }
    int answered = suite != NULL;
    Py_DECREF(found), Py_XDECREF(chosen), Py_XDECREF(suite);
    return answered ? 1 : -1;
}

/* Hello.certified: note the names of the server's certificate; 1, 0 where it is not usual, or -1. */
static int tcp_certified(Core *self, Hello *hello, PyObject *message)
{
    PyObject *names = PyObject_CallFunctionObjArgs(start_of(self, S_NAMES), message, NULL), *done = NULL;
    int usual = names && names != Py_None;
    if (usual)
        done = PyObject_CallMethodObjArgs((PyObject *)hello, self->names[N_CERTIFIED], names, NULL);
    Py_XDECREF(names), Py_XDECREF(done);
    return PyErr_Occurred() ? -1 : usual;
}

/* read_answer of hello.py; 1, 0 where a message is not usual, or -1. */
static int tcp_answer(Core *self, Hello *hello, PyObject *messages, PyObject *done, int *finished)
{
    Py_ssize_t count = PyTuple_Size(messages);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *message = PyTuple_GetItem(messages, i);
        char *bytes;
        Py_ssize_t size;
        int answered = hello_has(hello, H_CIPHER, NULL), usual = 1;
        if (PyBytes_AsStringAndSize(message, &bytes, &size))
            return -1;
        *finished = size && bytes[0] == M_CERTIFICATE && answered;
        if (*finished)
            return tcp_certified(self, hello, message);
        if (size && bytes[0] == M_SERVER_HELLO && !answered)
            usual = tcp_answered(self, hello, message);
        if (usual <= 0)
            return usual;
    }
    *finished = done == Py_True || hello_has(hello, H_CHOSEN_VERSION, "TLS1.3");
    return 1;
}

/* What became of a head: of the client a hello, of the server that nothing more is to come. */
typedef struct {
    long long need;
    Hello *hello;
    int finished;
} Read;

/* Read the messages of a head; 1, 0 where they are not usual, or -1. */
static int tcp_read(Core *self, Flow *flow, const TcpStart *start, const Piece *piece, int64_t since_us, PyObject *head,
                    Read *found)
{
    PyObject *flight = PyObject_CallFunctionObjArgs(start_of(self, S_RECORDS), head, start_of(self, S_LIMIT), NULL);
    PyObject *messages, *done, *spare;
    long long partial;
    int usual = 0;
    if (!flight || flight == Py_None || !PyArg_ParseTuple(flight, "O!OOLO:flight", &PyTuple_Type, &messages, &spare, &done,
                                                          &partial, &spare)) {
        Py_XDECREF(flight);
        return PyErr_Occurred() ? -1 : 0;
    }
    found->need = PyBytes_Size(head) + 1 > partial + 5 ? PyBytes_Size(head) + 1 : partial + 5;
    if (piece->side != start->asked) {
        usual = tcp_answer(self, start->hello, messages, done, &found->finished);
    } else {
        PyObject *message = client_hello_in(messages);
        if (message)
            found->hello = tell_hello(self, flow, piece, since_us, S_TLS, (const uint8_t *)PyBytes_AsString(message),
                                      (size_t)PyBytes_Size(message));
        usual = found->hello || (!message && done == Py_False);
    }
    Py_DECREF(flight);
    return PyErr_Occurred() ? -1 : usual;
}

static void tcp_keep(TcpStart *start, const Piece *piece, const Read *found, PyObject *head)
{
    int side = piece->side;
    start->expected[side] = (piece->seq + piece->size) & 0xFFFFFFFF;
    start->need[side] = found->need;
    replace(&start->heads[side], found->hello || found->finished ? NULL : Py_NewRef(head));
    if (found->hello) {
        Py_XDECREF((PyObject *)start->hello);
        start->hello = found->hello;
        start->wants = 1 << (1 - side);
    }
    if (found->finished) {
        start->done = 1;
        start->wants = 0;
    }
}

/* Take a first segment that holds a hello and no more, as nearly all do; 1, 0 where it is another, or -1. */
static int tcp_whole(Core *self, Flow *flow, TcpStart *start, const Piece *piece)
{
    const uint8_t *message;
    size_t size = piece->size <= MOST_HEAD ? self->hellos->find(piece->bytes, (size_t)piece->size, &message) : 0;
    Hello *hello = size ? tell_hello(self, flow, piece, piece->time_us, S_TLS, message, size) : NULL;
    if (!hello)
        return PyErr_Occurred() ? -1 : 0;
    start->since[piece->side] = piece->time_us;
    tcp_keep(start, piece, &(Read){piece->size + 1, hello, 0}, NULL);
    return 1;
}

/* Take the next segment of a direction; 1, 0 where it is for the inspector, or -1. */
static int tcp_take(Core *self, Flow *flow, TcpStart *start, Piece *piece)
{
    PyObject *before = start->heads[piece->side];
    int taken = before || piece->side != start->asked ? 0 : tcp_whole(self, flow, start, piece);
    if (taken)
        return taken;
    PyObject *payload = piece_payload(piece), *head = payload ? Py_NewRef(before ? before : payload) : NULL;
    int64_t since_us = before ? start->since[piece->side] : piece->time_us;
    if (head && before)
        PyBytes_Concat(&head, payload); /* NULL where that fails */
    if (!head)
        return -1;
    Read found = {start->need[piece->side], NULL, 0};
    taken = PyBytes_Size(head) <= MOST_HEAD;
    if (taken && PyBytes_Size(head) >= found.need)
        taken = tcp_read(self, flow, start, piece, since_us, head, &found);
    if (taken > 0) {
        start->since[piece->side] = since_us;
        tcp_keep(start, piece, &found, head);
    }
    Py_DECREF(head);
    return taken;
}

/* looks_like_client_hello of tls.py, but for the rarer forms. */
static int begins_tls(const Piece *piece)
{
    const uint8_t *bytes = piece->bytes;
    return piece->size >= 6 && bytes[0] == 0x16 && bytes[1] == 3 && bytes[2] <= 4 && bytes[5] == M_CLIENT_HELLO;
}

/* The same for a flow that nobody has looked into yet. */
static int tcp_first(Core *self, Flow *flow, Piece *piece)
{
    if (!begins_tls(piece) || key_port(&flow->key, 0) == DNS_PORT || key_port(&flow->key, 1) == DNS_PORT)
        return 0;
    TcpStart *start = tcp_begin(self, flow, piece->side);
    if (!start)
        return -1;
    int taken = tcp_goes_on(start, flow, piece->side, piece->seq) ? tcp_take(self, flow, start, piece) : 0;
    if (taken > 0) {
        flow->wants = start->wants;
        set_inspector(flow, (PyObject *)start);
    } else {
        Py_DECREF((PyObject *)start);
    }
    return taken;
}

/* Take the payload of a row; 1, 0 where it is for Python, or -1. */
static int take_tcp(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    int known = has_start(self, flow, S_TCP), taken = 0;
    if (!known && has_inspector(flow))
        return 0;
    TcpStart *start = known ? (TcpStart *)Py_NewRef(flow->inspector) : NULL;
    int plain = CELL(rows, PAYLOAD_SIZE, int64_t, row) > 0 && CELL(rows, MISSING, int64_t, row) <= 0 &&
                !(CELL(rows, TCP_FLAGS, uint8_t, row) & SYN); /* data may travel with a SYN (RFC 7413) */
    if (plain && (!known || tcp_goes_on(start, flow, side, CELL(rows, TCP_SEQ, int64_t, row)))) {
        Piece piece;
        int failed = piece_open(&piece, rows, row, side);
        taken = failed ? -1 : known ? tcp_take(self, flow, start, &piece) : tcp_first(self, flow, &piece);
        piece_close(&piece);
    }
    if (known && taken > 0)
        flow->wants = start->wants;
    if (known && !taken)
        taken = hand_over(self, flow, tcp_state(start, NULL), start->hello, S_RESTORE_TCP);
    Py_XDECREF((PyObject *)start);
    return taken;
}

/* --- the type --- */

static void tcp_dealloc(TcpStart *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    Py_XDECREF(self->heads[0]), Py_XDECREF(self->heads[1]), Py_XDECREF((PyObject *)self->hello);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef TCP_METHODS[] = {
    {"state", (PyCFunction)tcp_state, METH_NOARGS, "state(): that of a TcpInspector which goes on from here."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef TCP_MEMBERS[] = {
    {"wants", T_INT, offsetof(TcpStart, wants), READONLY, "mask of the ends whose payloads are wanted"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot TCP_SLOTS[] = {
    {Py_tp_doc, "The start of a TLS connection; made by a core."},
    {Py_tp_dealloc, tcp_dealloc},
    {Py_tp_methods, TCP_METHODS},
    {Py_tp_members, TCP_MEMBERS},
    {0, NULL},
};

static PyType_Spec TCP_SPEC = {
    .name = "daemon.flow._core.TcpStart",
    .basicsize = sizeof(TcpStart),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = TCP_SLOTS,
};

#endif
