/* The life of one flow: begun, counted, shown to Python where a payload is wanted, ended.

   The functions answer 0, or -1 with an exception set, where they have nothing else to answer. */

#ifndef HOMEPORT_FLOW_CORE_FLOW_H
#define HOMEPORT_FLOW_CORE_FLOW_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "../decode/_hello_reader.h"
#include "_core_rows.h"
#include "_core_table.h"
#include "_core_tally.h"
#include "_core_tally_type.h"

enum { IP_KIND = 1, ETHERNET = 1 };

/* Names that are looked up often, made once. */
enum {
    N_CERTIFIED, N_CUT, N_DNS, N_FLOWS, N_HELLOS, N_IDLE, N_INSPECT, N_NUMBER, N_PACKET, N_RELEASE, N_SEEN, N_WANTS, NAMES
};
static const char *const NAME[NAMES] = {
    "certified", "cut", "dns", "flows", "hellos", "idle", "inspect", "number", "packet", "release", "seen", "wants",
};

/* Numbers of ends that were asked for lately; Endpoints knows all of them. */
typedef struct {
    uint64_t address[2];
    long long mac, number;
    int version; /* 0: free */
} End;

/* What daemon.flow.starts.CORE_STARTS holds, in its order, and behind it the types of starts. */
enum {
    S_RECORDS, S_LIMIT, S_READER, S_SERVER, S_NAMES, S_INITIALS, S_VERSIONS, S_RECOGNISE, S_PAIR, S_RESTORE_TCP, S_RESTORE_UDP,
    S_HELLO, S_VERSION, S_CIPHER, S_JA4, S_TLS, S_QUIC, S_DOQ, S_DOT, S_TCP, S_UDP, STARTS
};

enum { PENDING = 8192 }; /* a power of two; more ends than a house sees between two batches */

/* Where the facts of flows go. */
typedef struct {
    PyObject *flows, *spans, *hellos; /* owned; all NULL between calls */
} Sinks;

enum { MESSAGE_PORTS = 256 };
enum { ENDS = 8192 }; /* a power of two; more ends than a house has at a time */

/* What a number in a hello is called, asked for lately. */
typedef struct {
    PyObject *text; /* owned; NULL: free */
    int kind; /* S_VERSION or S_CIPHER */
    long code;
} Word;

enum { WORDS = 64 }; /* a power of two */

typedef struct {
    PyObject_HEAD
    Table table;
    Notable notable;
    int64_t slot_us, slot, slot_begin; /* the slot of the row before, and when it began */
    int busy; /* taking rows */
    Flow *latest; /* borrowed: of the row before, as bulk comes in runs; NULL where it has left the table */
    long long begun; /* conversations so far: the number of the next */
    PyTypeObject *conversation; /* a subclass of Tally */
    PyObject *endpoints, *facts, *link_addresses;
    Sinks sinks; /* of the facts, during a call; see `open_sinks` */
    Span pending[PENDING]; /* spans that the facts get when they are taken: `settle_spans` */
    PyObject *advertised; /* the inspector of ICMPv6, which keeps nothing; NULL where that is left to Python */
    PyObject *makers; /* what telling a flow takes; NULL where the conversations release themselves in a way of their own */
    PyObject *dns; /* what reading DNS takes (`_core_dns.h`); NULL where its reader in C was not built */
    PyObject *starts[STARTS]; /* what reading starts takes (`_core_start.h`); all NULL where that is left to Python */
    PyObject *readers[MESSAGE_PORTS]; /* of datagrams, by the number of their port */
    PyObject *names[NAMES];
    End ends[ENDS];
    const HelloReader *hellos; /* of S_READER; NULL with it */
    Word words[WORDS];
    Lately lately;
} Core;

/* --- who it is --- */

static int number_end(Core *self, Flow *flow, int side, long long mac)
{
    const uint64_t *address = &flow->key.words[2 * side];
    int version = key_version(&flow->key);
    uint64_t mixed = (address[0] ^ ROTATE(address[1], 31) ^ ROTATE((uint64_t)mac, 17)) * 0x9E3779B97F4A7C15;
    End *end = &self->ends[mixed >> 32 & (ENDS - 1)];
    flow->macs[side] = mac;
    if (end->version != version || end->mac != mac || memcmp(end->address, address, sizeof end->address)) {
        PyObject *said = PyLong_FromLongLong(mac), *family = PyLong_FromLong(version), *number = NULL;
        PyObject *value = address_object(address[0], address[1]);
        if (said && family && value)
            number = PyObject_CallMethodObjArgs(self->endpoints, self->names[N_NUMBER], said, family, value, NULL);
        Py_XDECREF(said), Py_XDECREF(family), Py_XDECREF(value);
        long long found = number ? PyLong_AsLongLong(number) : -1;
        Py_XDECREF(number);
        if (PyErr_Occurred())
            return -1;
        *end = (End){{address[0], address[1]}, mac, found, version};
    }
    flow->ends[side] = end->number;
    return 0;
}

/* The first packet of an end: Tally.meet. */
static int meet_macs(Core *self, Flow *flow, int side, const long long macs[2])
{
    long long sought = flow->ends[side];
    if (number_end(self, flow, side, macs[0]))
        return -1;
    if (sought >= 0 && sought != flow->ends[side]) {
        PyObject *spans = PyObject_GetAttr(self->facts, self->names[N_SEEN]);
        int failed = !spans || stretch_span(spans, sought, flow->began_us, flow->began_us, 0);
        Py_XDECREF(spans);
        if (failed)
            return -1;
    }
    if (flow->ends[1 - side] >= 0)
        return 0;
    int many = macs[1] >= 0 && (macs[1] >> 40 & 1);
    return number_end(self, flow, 1 - side, many ? -1 : macs[1]);
}

/* (source, destination) MAC of a row, as columns.link_addresses gives them. */
static int row_macs(Core *self, const Rows *rows, Py_ssize_t row, long long macs[2])
{
    int some = PyDict_Size(rows->macs) > 0;
    PyObject *number = some || CELL(rows, LINK, int32_t, row) != ETHERNET ? PyLong_FromSsize_t(row) : NULL;
    int known = !some ? 0 : number ? PyDict_Contains(rows->macs, number) : -1, failed = known < 0;
    if (known == 0 && CELL(rows, LINK, int32_t, row) == ETHERNET) {
        const unsigned char *frame = rows_bytes(rows, CELL(rows, FRAME_OFFSET, int64_t, row), 12);
        macs[0] = macs[1] = 0;
        for (int i = 0; frame && i < 12; i++) /* the destination stands first */
            macs[i < 6] = macs[i < 6] << 8 | frame[i];
        failed = !frame;
    } else if (!failed) {
        PyObject *pair = number ? PyObject_CallFunctionObjArgs(self->link_addresses, rows->buf_object, rows->columns, number, NULL)
                                : NULL;
        failed = !pair || !PyArg_ParseTuple(pair, "LL", &macs[0], &macs[1]);
        Py_XDECREF(pair);
    }
    Py_XDECREF(number);
    return failed ? -1 : 0;
}

static int meet(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    long long macs[2];
    return row_macs(self, rows, row, macs) || meet_macs(self, flow, side, macs) ? -1 : 0;
}

/* --- beginning and end --- */

/* Take a conversation into the table, which gets a reference of its own. */
static int adopt(Core *self, Flow *flow, uint64_t hash)
{
    if (table_reserve(&self->table))
        return -1;
    flow->hash = hash;
    Py_INCREF((PyObject *)flow);
    table_add(&self->table, flow);
    return 0;
}

/* The reader of a message port serves all flows of it; of two such ports the lesser decides: make_udp in udp.py. */
static PyObject *message_reader(Core *self, const Key *key)
{
    int first = key_port(key, 0), second = key_port(key, 1);
    if (key_protocol(key) != UDP || first < 0 || second < 0 || first > 65535 || second > 65535)
        return NULL;
    int lesser = self->notable.message_port[first < second ? first : second];
    return self->readers[lesser ? lesser : self->notable.message_port[first < second ? second : first]];
}

static Flow *begin_flow(Core *self, const Rows *rows, Py_ssize_t row, const Key *key, uint64_t hash, int side)
{
    Flow *flow = (Flow *)PyType_GenericAlloc(self->conversation, 0); /* zeroed */
    if (!flow)
        return NULL;
    tally_begin(flow, key, self->begun, side, CELL(rows, TIME_US, int64_t, row));
    flow->inspector = message_reader(self, key);
    Py_XINCREF(flow->inspector);
    int failed = meet(self, rows, row, flow, side) || adopt(self, flow, hash);
    Py_DECREF(flow);
    if (failed)
        return NULL;
    self->begun++;
    return flow; /* borrowed from the table */
}

static void forget_sinks(Sinks *sinks)
{
    Py_CLEAR(sinks->flows);
    Py_CLEAR(sinks->spans);
    Py_CLEAR(sinks->hellos);
}

/* Ask the facts where theirs go; the answer holds until `close_sinks`. */
static int open_sinks(Core *self)
{
    Sinks *sinks = &self->sinks;
    if (sinks->flows)
        return 0;
    PyObject *hellos = PyObject_GetAttr(self->facts, self->names[N_HELLOS]);
    PyObject *spans = hellos ? PyObject_GetAttr(self->facts, self->names[N_SEEN]) : NULL;
    PyObject *flows = spans ? PyObject_GetAttr(self->facts, self->names[N_FLOWS]) : NULL;
    sinks->flows = flows, sinks->spans = spans, sinks->hellos = hellos;
    if (flows && PyDict_Check(spans))
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "spans are a dict");
    forget_sinks(sinks);
    return -1;
}

/* Give the facts the spans that wait for them. */
static int settle_spans(Core *self)
{
    PyObject *spans = PyObject_GetAttr(self->facts, self->names[N_SEEN]);
    int failed = !spans;
    for (int i = 0; i < PENDING && !failed; i++)
        failed = spill_span(spans, &self->pending[i]);
    Py_XDECREF(spans);
    return failed ? -1 : 0;
}

/* Talk.release without Python, for the most of flows: those without slices. 1 where it was told, 0 where it is for Python,
   or -1. */
static int tell_plainly(Core *self, const Flow *flow, PyObject *word)
{
    Sinks *sinks = &self->sinks;
    if (!self->makers || flow->slices)
        return 0;
    if (open_sinks(self))
        return -1;
    Makers makers = known_makers(self->makers);
    int told = tell(flow, sinks->flows, sinks->spans, self->pending, PENDING, word, 0, &makers, &self->lately);
    if (told > 0 && flow->hellos && flow->hellos != Py_None)
        told = tell_hellos(flow, sinks->hellos, &makers) ? -1 : 1;
    return told;
}

/* End a flow: it leaves the table in any case, then says what it was. */
static int end_flow(Core *self, Flow *flow, PyObject *word)
{
    table_remove(&self->table, flow);
    self->latest = NULL;
    int told = tell_plainly(self, flow, word);
    if (!told) {
        PyObject *done =
            PyObject_CallMethodObjArgs((PyObject *)flow, self->names[N_RELEASE], self->facts, word, Py_False, NULL);
        told = done ? 1 : -1;
        Py_XDECREF(done);
    }
    Py_DECREF(flow);
    return told < 0 ? -1 : 0;
}

/* Whether the silence before this time ends a flow. The difference of two times may not fit into 63 bits: a file says
   whatever it likes. */
static inline int is_silent(const Flow *flow, int64_t time_us)
{
    return time_us > flow->last_us && (uint64_t)time_us - (uint64_t)flow->last_us > (uint64_t)flow->idle_us;
}

/* --- payloads --- */

static PyObject *row_payload(const Rows *rows, Py_ssize_t row)
{
    if (rows->special && rows->special[row]) {
        PyObject *number = PyLong_FromSsize_t(row), *payload = number ? PyDict_GetItemWithError(rows->payloads, number) : NULL;
        Py_XDECREF(number);
        if (!payload && !PyErr_Occurred())
            PyErr_SetString(PyExc_RuntimeError, "payloads changed while they were read");
        Py_XINCREF(payload);
        return payload;
    }
    int64_t size = CELL(rows, PAYLOAD_SIZE, int64_t, row);
    const unsigned char *start = size > 0 ? rows_bytes(rows, CELL(rows, PAYLOAD_OFFSET, int64_t, row), size) : NULL;
    if (size > 0 && !start)
        return NULL;
    return PyBytes_FromStringAndSize((const char *)start, size > 0 ? (Py_ssize_t)size : 0);
}

/* Ask the inspector, or the conversation while it has none (it makes one then); the new mask of wanted ends, or NULL. */
static PyObject *show(Core *self, Flow *flow, PyObject *const said[6])
{
    PyObject *inspector = flow->inspector;
    if (!inspector || inspector == Py_None)
        return PyObject_CallMethodObjArgs((PyObject *)flow, self->names[N_INSPECT], self->facts, said[0], said[1], said[2],
                                          said[3], said[4], said[5], NULL);
    Py_INCREF(inspector);
    PyObject *done = PyObject_CallMethodObjArgs(inspector, self->names[N_PACKET], flow, self->facts, said[0], said[1],
                                                said[2], said[3], said[4], said[5], NULL);
    PyObject *wants = done ? PyObject_GetAttr(inspector, self->names[N_WANTS]) : NULL;
    Py_XDECREF(done);
    Py_DECREF(inspector);
    return wants;
}

static int show_row(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    PyObject *said[6] = {
        PyLong_FromLong(side), PyLong_FromLongLong(CELL(rows, TIME_US, int64_t, row)),
        PyLong_FromLong(CELL(rows, TCP_FLAGS, uint8_t, row)), PyLong_FromLongLong(CELL(rows, TCP_SEQ, int64_t, row)),
        row_payload(rows, row), PyLong_FromLongLong(CELL(rows, MISSING, int64_t, row)),
    };
    PyObject *wants = said[0] && said[1] && said[2] && said[3] && said[4] && said[5] ? show(self, flow, said) : NULL;
    for (int i = 0; i < 6; i++)
        Py_XDECREF(said[i]);
    if (!wants)
        return -1;
    flow->wants = (int)PyLong_AsLong(wants);
    Py_DECREF(wants);
    return PyErr_Occurred() ? -1 : 0;
}

/* --- rows --- */

/* The key of a row, and which of its ends sent it. */
static inline int row_key(const Rows *rows, Py_ssize_t row, Key *key)
{
    uint64_t source[2] = {CELL(rows, SOURCE_HI, uint64_t, row), CELL(rows, SOURCE_LO, uint64_t, row)};
    uint64_t target[2] = {CELL(rows, DESTINATION_HI, uint64_t, row), CELL(rows, DESTINATION_LO, uint64_t, row)};
    int32_t source_port = CELL(rows, SOURCE_PORT, int32_t, row), target_port = CELL(rows, DESTINATION_PORT, int32_t, row);
    int side = source[0] != target[0]   ? source[0] > target[0]
               : source[1] != target[1] ? source[1] > target[1]
                                        : source_port > target_port;
    memcpy(&key->words[side ? 2 : 0], source, sizeof source);
    memcpy(&key->words[side ? 0 : 2], target, sizeof target);
    make_key(key, CELL(rows, VERSION, uint8_t, row), CELL(rows, PROTOCOL, int16_t, row), CELL(rows, TUNNEL, uint8_t, row),
             side ? target_port : source_port, side ? source_port : target_port);
    return side;
}

#endif
