/* QUIC and signatures at the start of a UDP conversation: UdpInspector of daemon/flow/udp.py as long as nothing is unusual.

   A start takes the client's Initials until its hello is whole, passes over those behind it, and asks which service the
   first datagrams of other kinds show. DTLS and second connections are for the inspector. */

#ifndef HOMEPORT_FLOW_CORE_UDP_H
#define HOMEPORT_FLOW_CORE_UDP_H

#include <Python.h>
#include <stdint.h>
#include <structmember.h>

#include "_core_start.h"

enum { PATIENCE_UDP = 4, MOST_IDS = 8, MOST_INITIALS = 16, REMEMBERED = 64 };
enum { H_PACKETS, H_MESSAGE, H_DCID, H_SCID, H_PIECES, HELD }; /* places in what read_hello of quic.py answers */
#define QUIC_V2 0x6B3343CFu

typedef struct {
    PyObject_HEAD
    int patience, wants, asked, initials;
    long long since;
    Hello *hello; /* NULL until it is whole; what follows is NULL where there is none */
    PyObject *held; /* what read_hello answered, while the hello is not whole */
    PyObject *dcid, *scid, *delivered; /* of the hello */
    PyObject *ids; /* connection ids of the hello's connection: a list */
    PyObject *last[2]; /* the latest datagram of each end, its first bytes */
} UdpStart;

static PyObject *hex_pieces(PyObject *pieces)
{
    Py_ssize_t count = PyTuple_Size(pieces);
    PyObject *list = count < 0 ? NULL : PyList_New(count);
    for (Py_ssize_t i = 0; list && i < count; i++) {
        PyObject *piece = PyTuple_GetItem(pieces, i), *offset = PyTuple_GetItem(piece, 0);
        PyObject *shown = offset ? Py_BuildValue("[ON]", offset, hex_of(PyTuple_GetItem(piece, 1))) : NULL;
        if (!shown || PyList_SetItem(list, i, shown))
            Py_CLEAR(list);
    }
    return list;
}

/* HelloAssembler.state; None where nothing was given to one yet. */
static PyObject *assembler_state(const UdpStart *self)
{
    if (self->hello)
        return Py_BuildValue("[NNN[iO[]]]", hex_of(self->dcid), hex_of(self->scid), hex_of(self->delivered), self->initials,
                             Py_True);
    if (!self->held)
        return Py_NewRef(Py_None);
    return Py_BuildValue("[NNs[iON]]", hex_of(PyTuple_GetItem(self->held, H_DCID)),
                         hex_of(PyTuple_GetItem(self->held, H_SCID)), "", self->initials, Py_False,
                         hex_pieces(PyTuple_GetItem(self->held, H_PIECES)));
}

static PyObject *hex_ids(PyObject *ids)
{
    Py_ssize_t count = ids ? PyList_Size(ids) : 0;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list && i < count; i++) {
        PyObject *shown = hex_of(PyList_GetItem(ids, i));
        if (!shown || PyList_SetItem(list, i, shown))
            Py_CLEAR(list);
    }
    return list;
}

/* UdpInspector.state. */
static PyObject *udp_state(UdpStart *self, PyObject *unused)
{
    (void)unused;
    return Py_BuildValue("[NNLi[NN]iN[]]", assembler_state(self), hello_index(self->hello), self->since, self->patience,
                         hex_of(self->last[0]), hex_of(self->last[1]), self->wants, hex_ids(self->ids));
}

/* Whether a datagram begins with an Initial of a version that can be decrypted (is_client_initial of quic_packet.py); -1 on
   error. */
static int is_initial(const Core *self, const unsigned char *bytes, Py_ssize_t size)
{
    if (size < 7 || bytes[0] < 0x80 || bytes[5] > 20)
        return 0;
    uint32_t version = big_endian(bytes + 1);
    if ((bytes[0] & 0x30) != (version == QUIC_V2 ? 0x10 : 0))
        return 0;
    PyObject *number = version == 1 ? NULL : PyLong_FromUnsignedLong(version);
    int known = version == 1 ? 1 : number ? PyDict_Contains(start_of(self, S_VERSIONS), number) : -1;
    Py_XDECREF(number);
    return known;
}

/* Add an id of the connection; 0, or -1. */
static int remember_id(UdpStart *start, const unsigned char *id, Py_ssize_t size)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)id, size);
    if (!start->ids)
        start->ids = PyList_New(0);
    int known = bytes && start->ids ? PySequence_Contains(start->ids, bytes) : -1, failed = known < 0;
    if (!known && PyList_Size(start->ids) < MOST_IDS)
        failed = PyList_Append(start->ids, bytes) < 0;
    Py_XDECREF(bytes);
    return failed ? -1 : 0;
}

static PyObject *destination_id(const unsigned char *bytes, Py_ssize_t size)
{
    Py_ssize_t length = bytes[5] < size - 6 ? bytes[5] : size - 6;
    return PyBytes_FromStringAndSize((const char *)bytes + 6, length);
}

/* An Initial behind the hello: 1 where it belongs to its connection, else 0; -1 on error. */
static int udp_passed_over(UdpStart *start, int side, const unsigned char *bytes, Py_ssize_t size)
{
    if (side == start->asked) {
        PyObject *id = destination_id(bytes, size);
        int known = id ? PySequence_Contains(start->ids, id) : -1;
        Py_XDECREF(id);
        return known;
    }
    Py_ssize_t at = 6 + bytes[5]; /* the id that the server chose, which the client turns to (RFC 9000 section 7.2) */
    Py_ssize_t left = size - at - 1, length = left < 0 ? 0 : bytes[at] < left ? bytes[at] : left;
    return remember_id(start, length ? bytes + at + 1 : bytes, length) ? -1 : 1;
}

/* The hello is whole: 1, 0 where it is not usual, or -1. */
static int udp_hello(Core *self, Flow *flow, UdpStart *start, const Piece *piece, int64_t since_us, PyObject *answer)
{
    PyObject *message = PyTuple_GetItem(answer, H_MESSAGE);
    const uint8_t *bytes = message ? (const uint8_t *)PyBytes_AsString(message) : NULL;
    Hello *hello = bytes ? tell_hello(self, flow, piece, since_us, S_QUIC, bytes, (size_t)PyBytes_Size(message)) : NULL;
    if (!hello)
        return PyErr_Occurred() ? -1 : 0;
    start->hello = hello;
    start->delivered = PyBytes_FromStringAndSize((const char *)bytes + HELLO_RANDOM, HELLO_RANDOM_SIZE);
    start->dcid = Py_NewRef(PyTuple_GetItem(answer, H_DCID));
    start->scid = Py_NewRef(PyTuple_GetItem(answer, H_SCID));
    start->asked = piece->side;
    start->wants = 0;
    PyObject *id = destination_id(piece->bytes, piece->size);
    start->ids = id ? PyList_New(0) : NULL;
    int failed = !start->delivered || !start->ids || PyList_Append(start->ids, id);
    Py_XDECREF(id);
    return failed ? -1 : 1;
}

/* A datagram that begins with an Initial, before the hello is whole; 1, 0 where it is not usual, or -1. */
static int udp_initial(Core *self, Flow *flow, UdpStart *start, Piece *piece)
{
    PyObject *payload = piece_payload(piece), *held = start->held ? start->held : Py_None;
    PyObject *answer = payload ? PyObject_CallFunctionObjArgs(start_of(self, S_INITIALS), payload, held, NULL) : NULL;
    PyObject *packets = answer && answer != Py_None ? PyTuple_GetItem(answer, H_PACKETS) : NULL;
    long count = packets ? PyLong_AsLong(packets) : 0;
    if (!packets || count < 1 || count > MOST_INITIALS - start->initials) {
        Py_XDECREF(answer);
        return PyErr_Occurred() ? -1 : 0;
    }
    int64_t since_us = start->since ? start->since : piece->time_us;
    int whole = PyTuple_GetItem(answer, H_MESSAGE) != Py_None;
    int taken = whole ? udp_hello(self, flow, start, piece, since_us, answer) : 1;
    if (taken > 0) {
        start->initials += (int)count;
        start->since = whole ? 0 : since_us;
        replace(&start->held, whole ? NULL : Py_NewRef(answer));
    }
    Py_DECREF(answer);
    return taken;
}

/* Whether a datagram could teach no more of the flow than is known (Talk.recognised): a service that was shown stays, but
   for QUIC, in what has its first byte (`quic` and `gquic` of signatures_udp.py), and for the hellos of DTLS. */
static int udp_settled(const Core *self, const Flow *flow, const unsigned char *bytes)
{
    int quic = bytes[0] >= 0x80 || (bytes[0] < 0x40 && (bytes[0] & 0x09) == 0x09), dtls = bytes[0] >= 20 && bytes[0] < 26;
    return flow->confirmed && !dtls && (!quic || flow->service == start_of(self, S_QUIC));
}

/* Which service a datagram shows; a new reference, or NULL. */
static PyObject *udp_service(Core *self, const Flow *flow, const UdpStart *start, Piece *piece)
{
    int side = piece->side;
    if (udp_settled(self, flow, piece->bytes))
        return Py_NewRef(Py_None);
    PyObject *payload = piece_payload(piece);
    PyObject *ports[] = {PyLong_FromLong(key_port(&flow->key, side)), PyLong_FromLong(key_port(&flow->key, 1 - side))};
    PyObject *service = payload && ports[0] && ports[1]
                            ? PyObject_CallFunctionObjArgs(start_of(self, S_RECOGNISE), payload, ports[0], ports[1], NULL)
                            : NULL;
    Py_XDECREF(ports[0]), Py_XDECREF(ports[1]);
    if (service == Py_None && start->last[side]) {
        Py_DECREF(service);
        service = PyObject_CallFunctionObjArgs(start_of(self, S_PAIR), start->last[side], payload, NULL);
    }
    return service;
}

/* A datagram of another kind; 1, 0 where it is for the inspector, or -1. */
static int udp_guess(Core *self, Flow *flow, UdpStart *start, Piece *piece)
{
    if (start->patience <= 0)
        return 1;
    PyObject *service = udp_service(self, flow, start, piece);
    if (!service || (service != Py_None && !PyUnicode_CompareWithASCIIString(service, "dtls"))) {
        Py_XDECREF(service);
        return service ? 0 : -1;
    }
    if (service != Py_None)
        learn_service(flow, service);
    Py_DECREF(service);
    PyObject *kept = PyBytes_FromStringAndSize((const char *)piece->bytes, piece->size < REMEMBERED ? piece->size : REMEMBERED);
    if (!kept)
        return -1;
    replace(&start->last[piece->side], kept);
    if (--start->patience <= 0) {
        start->wants = 0;
        replace(&start->last[0], NULL);
        replace(&start->last[1], NULL);
    }
    return 1;
}

static int udp_take(Core *self, Flow *flow, UdpStart *start, Piece *piece)
{
    int initial = is_initial(self, piece->bytes, piece->size);
    if (initial < 0)
        return -1;
    if (!initial)
        return udp_guess(self, flow, start, piece);
    return start->hello ? udp_passed_over(start, piece->side, piece->bytes, piece->size) : udp_initial(self, flow, start, piece);
}

static UdpStart *udp_begin(Core *self)
{
    UdpStart *start = (UdpStart *)PyType_GenericAlloc((PyTypeObject *)start_of(self, S_UDP), 0); /* zeroed */
    if (start) {
        start->patience = PATIENCE_UDP;
        start->wants = BOTH;
    }
    return start;
}

/* Take the payload of a row; 1, 0 where it is for Python, or -1. */
static int take_udp(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    int known = has_start(self, flow, S_UDP), ports[2] = {key_port(&flow->key, 0), key_port(&flow->key, 1)};
    if (!known && (has_inspector(flow) || ports[0] < 0 || ports[1] < 0 || ports[0] > 65535 || ports[1] > 65535))
        return 0; /* ports of no packet: make_udp would look among those of messages */
    if (CELL(rows, PAYLOAD_SIZE, int64_t, row) <= 0)
        return known;
    UdpStart *start = known ? (UdpStart *)Py_NewRef(flow->inspector) : udp_begin(self);
    Piece piece = {.payload = NULL};
    int taken = start && !piece_open(&piece, rows, row, side) ? udp_take(self, flow, start, &piece) : -1;
    piece_close(&piece);
    if (taken > 0) {
        flow->wants = start->wants;
        if (!known)
            set_inspector(flow, Py_NewRef((PyObject *)start));
    } else if (!taken && known) {
        taken = hand_over(self, flow, udp_state(start, NULL), start->hello, S_RESTORE_UDP);
    }
    Py_XDECREF((PyObject *)start);
    return taken;
}

/* --- the type --- */

static void udp_dealloc(UdpStart *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    Py_XDECREF((PyObject *)self->hello), Py_XDECREF(self->held), Py_XDECREF(self->dcid), Py_XDECREF(self->scid);
    Py_XDECREF(self->delivered), Py_XDECREF(self->ids), Py_XDECREF(self->last[0]), Py_XDECREF(self->last[1]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef UDP_METHODS[] = {
    {"state", (PyCFunction)udp_state, METH_NOARGS, "state(): that of a UdpInspector which goes on from here."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef UDP_MEMBERS[] = {
    {"wants", T_INT, offsetof(UdpStart, wants), READONLY, "mask of the ends whose payloads are wanted"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot UDP_SLOTS[] = {
    {Py_tp_doc, "The start of a UDP conversation; made by a core."},
    {Py_tp_dealloc, udp_dealloc},
    {Py_tp_methods, UDP_METHODS},
    {Py_tp_members, UDP_MEMBERS},
    {0, NULL},
};

static PyType_Spec UDP_SPEC = {
    .name = "daemon.flow._core.UdpStart",
    .basicsize = sizeof(UdpStart),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = UDP_SLOTS,
};

#endif
