/* The inner walk of the flow table in C: the twin of NumpyCore in daemon/flow/core.py, which is its oracle.

   Rule 1: rows are taken one by one in file order; silence, FIN or RST and a new SYN end a conversation, as there.
   Rule 2: Python is called only when something happens: a flow begins, an end sends for the first time, SYN, FIN or RST, a
           payload that is wanted or notable, an end. Between these, rows are counted here.
   Rule 3: a conversation is told its counters, slot by slot, before Python may look at them: when another slot begins, when
           it ends, and when open() is asked.
   Rule 4: an exception from Python ends add(); the rows before it are counted, and the table stays whole.
   Rule 5: hooks must not change the table while it takes rows: that is refused (RuntimeError).

   Stable ABI (Python 3.11 and later), no numpy API: columns come through the buffer protocol. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "_core_rows.h"
#include "_core_table.h"

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { IP_KIND = 1, ETHERNET = 1 };

/* Names that are looked up often, made once. */
enum { N_BYTES, N_CLOSED, N_COUNT, N_FIRST_US, N_FLAGS, N_IDLE_US, N_KEY, N_LAST_US, N_PACKETS, N_WANTS, NAMES };
static const char *const NAME[NAMES] = {
    "bytes", "closed", "count", "first_us", "flags", "idle_us", "key", "last_us", "packets", "wants",
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

/* --- between C and Python numbers --- */

static PyObject *address_object(uint64_t high, uint64_t low)
{
    if (!high)
        return PyLong_FromUnsignedLongLong(low);
    PyObject *sum = NULL, *bits = PyLong_FromLong(64), *rest = PyLong_FromUnsignedLongLong(low);
    PyObject *top = PyLong_FromUnsignedLongLong(high), *moved = bits && top ? PyNumber_Lshift(top, bits) : NULL;
    if (moved && rest)
        sum = PyNumber_Or(moved, rest);
    Py_XDECREF(bits), Py_XDECREF(rest), Py_XDECREF(top), Py_XDECREF(moved);
    return sum;
}

static int address_words(PyObject *address, uint64_t words[2])
{
    PyObject *bits = PyLong_FromLong(64), *high = bits ? PyNumber_Rshift(address, bits) : NULL;
    Py_XDECREF(bits);
    if (!high)
        return -1;
    words[0] = PyLong_AsUnsignedLongLong(high); /* refuses what has more than 128 bits, or less than none */
    Py_DECREF(high);
    if (!PyErr_Occurred())
        words[1] = PyLong_AsUnsignedLongLongMask(address);
    return PyErr_Occurred() ? -1 : 0;
}

static int get_number(PyObject *object, PyObject *name, int64_t *number)
{
    PyObject *value = PyObject_GetAttr(object, name);
    if (!value)
        return -1;
    *number = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

static void make_key(Key *key, int version, int protocol, int tunnel, int32_t port0, int32_t port1)
{
    key->words[4] = (uint64_t)(uint32_t)port0 << 32 | (uint32_t)port1;
    key->words[5] = (uint64_t)(uint16_t)protocol << 16 | (uint64_t)tunnel << 8 | (uint64_t)version;
}

static PyObject *key_object(const Key *key)
{
    PyObject *first = address_object(key->words[0], key->words[1]);
    PyObject *second = address_object(key->words[2], key->words[3]);
    uint64_t ports = key->words[4], kind = key->words[5];
    PyObject *tuple = NULL;
    if (first && second)
        tuple = Py_BuildValue("(iiiOiOi)", (int)(kind & 0xFF), (int)(int16_t)(kind >> 16), (int)(kind >> 8 & 0xFF), first,
                              (int)(int32_t)(ports >> 32), second, (int)(int32_t)ports);
    Py_XDECREF(first), Py_XDECREF(second);
    return tuple;
}

static int read_key(PyObject *tuple, Key *key)
{
    int version, protocol, tunnel, port0, port1;
    PyObject *first, *second;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "the key of a conversation is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(tuple, "iiiOiOi", &version, &protocol, &tunnel, &first, &port0, &second, &port1))
        return -1;
    if ((version & ~0xFF) || (tunnel & ~0xFF) || protocol != (int16_t)protocol) {
        PyErr_SetString(PyExc_ValueError, "no such key of a conversation");
        return -1;
    }
    make_key(key, version, protocol, tunnel, port0, port1);
    return address_words(first, &key->words[0]) || address_words(second, &key->words[2]) ? -1 : 0;
}

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

/* Read what FIN and RST change. */
static int read_end(Core *self, Flow *flow)
{
    int64_t closed;
    if (get_number(flow->conversation, self->names[N_CLOSED], &closed) ||
        get_number(flow->conversation, self->names[N_IDLE_US], &flow->idle_us))
        return -1;
    flow->closed = closed != 0;
    return 0;
}

/* Take a conversation into the table; the reference becomes the table's, also where that fails. */
static Flow *adopt(Core *self, PyObject *conversation, const Key *key, uint64_t hash)
{
    int64_t wants;
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
        get_number(conversation, self->names[N_WANTS], &wants) || read_end(self, flow) || table_reserve(&self->table)) {
        free_flow(flow);
        return NULL;
    }
    flow->wants = (int)wants;
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
    return done ? read_end(self, flow) : -1;
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

/* --- rows --- */

static int take_row(Core *self, const Rows *rows, Py_ssize_t row)
{
    Key key;
    int side = row_key(rows, row, &key);
    uint64_t hash = key_hash(&self->table, &key);
    int64_t time_us = CELL(rows, TIME_US, int64_t, row);
    int flags = CELL(rows, TCP_FLAGS, uint8_t, row);
    Flow *flow = table_find(&self->table, &key, hash);
    /* The difference of two times may not fit into 63 bits: a file says whatever it likes. */
    if (flow && time_us > flow->last_us && (uint64_t)time_us - (uint64_t)flow->last_us > (uint64_t)flow->idle_us) {
        if (end_flow_as(self, flow, "idle"))
            return -1;
        flow = NULL;
    }
    if (flow && flow->closed && (flags & (SYN | ACK)) == SYN) {
        if (end_flow_as(self, flow, "cut")) /* said by its FIN or RST: the word given here is not used */
            return -1;
        flow = NULL;
    }
    if (!flow)
        flow = begin_flow(self, rows, row, &key, hash, side);
    else if (!(flow->met >> side & 1) && meet(self, rows, row, flow, side))
        return -1;
    if (!flow)
        return -1;
    flow->met |= 1 << side;
    if (count(self, flow, side, time_us, CELL(rows, WIRE, int64_t, row)))
        return -1;
    if (flags & (SYN | FIN | RST) && say_flags(self, flow, side, flags, CELL(rows, TCP_SEQ, int64_t, row)))
        return -1;
    int wanted = flow->wants >> side & 1;
    if (!wanted) {
        wanted = is_notable(&self->notable, rows, row);
        if (wanted < 0)
            return -1;
    }
    if (!wanted || (CELL(rows, PAYLOAD_SIZE, int64_t, row) <= 0 && CELL(rows, MISSING, int64_t, row) <= 0))
        return 0;
    return inspect(self, rows, row, flow, side);
}

static int claim(Core *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the flow table is taking rows");
        return -1;
    }
    return 0;
}
