/* The life of one flow: begun, counted, shown to Python where something happens, ended.

   The functions answer 0, or -1 with an exception set, where they have nothing else to answer. */

#ifndef HOMEPORT_FLOW_CORE_FLOW_H
#define HOMEPORT_FLOW_CORE_FLOW_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "_core_keys.h"
#include "_core_rows.h"
#include "_core_table.h"

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { IP_KIND = 1, ETHERNET = 1 };

/* Names that are looked up often, made once. */
enum { N_CLOSED, N_COUNT, N_FIRST_US, N_FLAGS, N_IDLE_US, N_KEY, N_LAST_US, N_PACKETS, N_WANTS, NAMES };
static const char *const NAME[NAMES] = {
    "closed", "count", "first_us", "flags", "idle_us", "key", "last_us", "packets", "wants",
};

typedef struct {
    PyObject_HEAD
    Table table;
    Notable notable;
    int64_t slot_us;
    int busy; /* taking rows, or telling counters */
    PyObject *begin, *meet, *inspect, *close; /* of the hooks */
    PyObject *link_addresses;
    PyObject *names[NAMES];
} Core;

/* --- counters --- */

/* Tell the conversation the rows that it does not know yet: Conversation.count. */
static int tell(Core *self, Flow *flow)
{
    if (!flow->packets[0] && !flow->packets[1])
        return 0;
    PyObject *done = NULL, *slot = PyLong_FromLongLong(flow->slot);
    PyObject *packets = Py_BuildValue("(LL)", (long long)flow->packets[0], (long long)flow->packets[1]);
    PyObject *bytes = Py_BuildValue("(LL)", (long long)flow->bytes[0], (long long)flow->bytes[1]);
    PyObject *first = PyLong_FromLongLong(flow->first_us), *last = PyLong_FromLongLong(flow->last_us);
    if (slot && packets && bytes && first && last)
        done = PyObject_CallMethodObjArgs(flow->conversation, self->names[N_COUNT], slot, packets, bytes, first, last, NULL);
    Py_XDECREF(slot), Py_XDECREF(packets), Py_XDECREF(bytes), Py_XDECREF(first), Py_XDECREF(last);
    if (!done)
        return -1;
    Py_DECREF(done);
    memset(flow->packets, 0, sizeof flow->packets);
    memset(flow->bytes, 0, sizeof flow->bytes);
    return 0;
}

static int count(Core *self, Flow *flow, int side, int64_t time_us, int64_t size)
{
    int64_t slot = time_us / self->slot_us - (time_us % self->slot_us < 0); /* rounds down, as Python does */
    if (slot != flow->slot) {
        if (tell(self, flow))
            return -1;
        flow->slot = slot;
    }
    flow->packets[side]++;
    flow->bytes[side] += size;
    if (time_us < flow->first_us)
        flow->first_us = time_us;
    if (time_us > flow->last_us)
        flow->last_us = time_us;
    return 0;
}

/* --- the life of a flow --- */

static void free_flow(Flow *flow)
{
    Py_XDECREF(flow->conversation);
    PyMem_Free(flow);
}

/* Read what the conversation decides: how long it may be silent, and whose payloads it wants. */
static int read_back(Core *self, Flow *flow)
{
    int64_t closed, wants;
    if (get_number(flow->conversation, self->names[N_CLOSED], &closed) ||
        get_number(flow->conversation, self->names[N_IDLE_US], &flow->idle_us) ||
        get_number(flow->conversation, self->names[N_WANTS], &wants))
        return -1;
    flow->closed = closed != 0;
    flow->wants = (int)wants;
    return 0;
}

/* Take a conversation into the table; the reference becomes the table's, also where that fails. */
static Flow *adopt(Core *self, PyObject *conversation, const Key *key, uint64_t hash)
{
    Flow *flow = PyMem_Calloc(1, sizeof *flow);
    if (!flow) {
        Py_DECREF(conversation);
        PyErr_NoMemory();
        return NULL;
    }
    flow->conversation = conversation;
    flow->key = *key;
    flow->hash = hash;
    if (get_number(conversation, self->names[N_FIRST_US], &flow->first_us) ||
        get_number(conversation, self->names[N_LAST_US], &flow->last_us) ||
        read_back(self, flow) || table_reserve(&self->table)) {
        free_flow(flow);
        return NULL;
    }
    table_add(&self->table, flow);
    return flow;
}

/* End a flow: its conversation is told everything, then closed. It leaves the table in any case. */
static int end_flow(Core *self, Flow *flow, PyObject *word)
{
    table_remove(&self->table, flow);
    PyObject *done = tell(self, flow) ? NULL : PyObject_CallFunctionObjArgs(self->close, flow->conversation, word, NULL);
    free_flow(flow);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int end_flow_as(Core *self, Flow *flow, const char *text)
{
    PyObject *word = PyUnicode_FromString(text);
    int failed = word ? end_flow(self, flow, word) : -1;
    Py_XDECREF(word);
    return failed;
}

/* (source, destination) MAC of a row, as columns.link_addresses gives them. */
static PyObject *row_macs(Core *self, const Rows *rows, Py_ssize_t row)
{
    PyObject *number = PyLong_FromSsize_t(row), *macs = NULL;
    if (!number)
        return NULL;
    int known = PyDict_Size(rows->macs) ? PyDict_Contains(rows->macs, number) : 0;
    if (known == 0 && CELL(rows, LINK, int32_t, row) == ETHERNET) {
        const unsigned char *frame = rows_bytes(rows, CELL(rows, FRAME_OFFSET, int64_t, row), 12);
        unsigned long long mac[2] = {0, 0};
        for (int i = 0; frame && i < 12; i++) /* the destination stands first */
            mac[i < 6] = mac[i < 6] << 8 | frame[i];
        macs = frame ? Py_BuildValue("(KK)", mac[0], mac[1]) : NULL;
    } else if (known >= 0) {
        macs = PyObject_CallFunctionObjArgs(self->link_addresses, rows->buf_object, rows->columns, number, NULL);
    }
    Py_DECREF(number);
    if (macs && (!PyTuple_Check(macs) || PyTuple_Size(macs) != 2)) {
        PyErr_SetString(PyExc_TypeError, "link addresses are a pair");
        Py_CLEAR(macs);
    }
    return macs;
}

static Flow *begin_flow(Core *self, const Rows *rows, Py_ssize_t row, const Key *key, uint64_t hash, int side)
{
    PyObject *conversation = NULL, *macs = row_macs(self, rows, row), *tuple = key_object(key);
    PyObject *end = PyLong_FromLong(side), *time_us = PyLong_FromLongLong(CELL(rows, TIME_US, int64_t, row));
    if (macs && tuple && end && time_us)
        conversation = PyObject_CallFunctionObjArgs(self->begin, tuple, end, time_us, PyTuple_GetItem(macs, 0),
                                                    PyTuple_GetItem(macs, 1), NULL);
    Py_XDECREF(macs), Py_XDECREF(tuple), Py_XDECREF(end), Py_XDECREF(time_us);
    return conversation ? adopt(self, conversation, key, hash) : NULL;
}

static int meet(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    PyObject *done = NULL, *macs = row_macs(self, rows, row), *end = PyLong_FromLong(side);
    if (macs && end)
        done = PyObject_CallFunctionObjArgs(self->meet, flow->conversation, end, PyTuple_GetItem(macs, 0),
                                            PyTuple_GetItem(macs, 1), NULL);
    Py_XDECREF(macs), Py_XDECREF(end), Py_XDECREF(done);
    return done ? 0 : -1;
}

static int say_flags(Core *self, Flow *flow, int side, int flags, int64_t seq)
{
    PyObject *done = NULL, *end = PyLong_FromLong(side), *bits = PyLong_FromLong(flags), *number = PyLong_FromLongLong(seq);
    if (end && bits && number)
        done = PyObject_CallMethodObjArgs(flow->conversation, self->names[N_FLAGS], end, bits, number, NULL);
    Py_XDECREF(end), Py_XDECREF(bits), Py_XDECREF(number), Py_XDECREF(done);
    return done ? read_back(self, flow) : -1;
}

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

/* Show a payload; the answer is the mask of ends whose payloads are wanted from now on. */
static int inspect(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    PyObject *arguments = Py_BuildValue(
        "(OiLiLNL)", flow->conversation, side, (long long)CELL(rows, TIME_US, int64_t, row),
        (int)CELL(rows, TCP_FLAGS, uint8_t, row), (long long)CELL(rows, TCP_SEQ, int64_t, row), row_payload(rows, row),
        (long long)CELL(rows, MISSING, int64_t, row));
    PyObject *answer = arguments ? PyObject_CallObject(self->inspect, arguments) : NULL;
    Py_XDECREF(arguments);
    if (!answer)
        return -1;
    long wants = PyLong_AsLong(answer);
    int failed = wants == -1 && PyErr_Occurred();
    if (!failed && wants != flow->wants) {
        failed = PyObject_SetAttr(flow->conversation, self->names[N_WANTS], answer) < 0;
        flow->wants = (int)wants;
    }
    Py_DECREF(answer);
    return failed ? -1 : 0;
}

/* Whether the silence before this time ends a flow. The difference of two times may not fit into 63 bits: a file says
   whatever it likes. */
static inline int is_silent(const Flow *flow, int64_t time_us)
{
    return time_us > flow->last_us && (uint64_t)time_us - (uint64_t)flow->last_us > (uint64_t)flow->idle_us;
}

#endif
