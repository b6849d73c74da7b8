/* The rows of a chunk as C sees them: columns.Columns through the buffer protocol, and what a row's payload starts like.

   Rule 1: a column is read only if it is contiguous, of the type that daemon/decode/columns.py gives it and as long as the
           others.
   Rule 2: no byte outside the chunk's buffer is read, whatever the columns say. */

#ifndef HOMEPORT_FLOW_CORE_ROWS_H
#define HOMEPORT_FLOW_CORE_ROWS_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

enum {
    TIME_US, WIRE, KIND, VERSION, PROTOCOL, SOURCE_HI, SOURCE_LO, DESTINATION_HI, DESTINATION_LO, SOURCE_PORT,
    DESTINATION_PORT, TCP_FLAGS, TCP_SEQ, PAYLOAD_OFFSET, PAYLOAD_SIZE, MISSING, TUNNEL, FRAME_OFFSET, LINK, ETHERTYPE,
    COLUMNS
};

/* Bytes of an element, and the codes (struct module) that an array of such elements may have. */
static const struct {
    const char *name;
    Py_ssize_t size;
    const char *codes;
} LAYOUT[COLUMNS] = {
    {"time_us", 8, "lq"}, {"wire", 8, "lq"}, {"kind", 1, "B"}, {"version", 1, "B"}, {"protocol", 2, "h"},
    {"source_hi", 8, "LQ"}, {"source_lo", 8, "LQ"}, {"destination_hi", 8, "LQ"}, {"destination_lo", 8, "LQ"},
    {"source_port", 4, "il"}, {"destination_port", 4, "il"}, {"tcp_flags", 1, "B"}, {"tcp_seq", 8, "lq"},
    {"payload_offset", 8, "lq"}, {"payload_size", 8, "lq"}, {"missing", 8, "lq"}, {"tunnel", 1, "B"},
    {"frame_offset", 8, "lq"}, {"link", 4, "il"}, {"ethertype", 4, "il"},
};

typedef struct {
    PyObject *buf_object, *columns; /* borrowed */
    Py_buffer buf, views[COLUMNS];
    int opened; /* views that are open */
    Py_ssize_t count;
    PyObject *payloads, *macs; /* dicts of rows that the slow path read; owned */
    unsigned char *special; /* by row: it is in `payloads`; NULL where none is */
} Rows;

#define CELL(rows, column, type, row) (((const type *)(rows)->views[column].buf)[row])

static inline uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#define MOST_STARTS 64

/* What makes a payload notable, from daemon/decode/groups.py. */
typedef struct {
    unsigned char message_port[65536]; /* 0, or a number from 1 */
    unsigned char first_letter[256]; /* of any of these: */
    uint32_t request_starts[MOST_STARTS]; /* first four bytes of requests, big-endian */
    int request_count;
} Notable;

/* Read the rules from daemon.decode.groups, so that they stand in one place; the length of a slot too. */
static int notable_set_up(Notable *notable, int64_t *slot_us)
{
    PyObject *groups = PyImport_ImportModule("daemon.decode.groups");
    PyObject *slot = groups ? PyObject_GetAttrString(groups, "SLOT_US") : NULL;
    PyObject *ports = slot ? PyObject_GetAttrString(groups, "MESSAGE_PORTS") : NULL;
    PyObject *starts = ports ? PyObject_GetAttrString(groups, "REQUEST_STARTS") : NULL;
    Py_ssize_t port_count = starts ? PySequence_Size(ports) : -1, start_count = starts ? PySequence_Size(starts) : -1;
    *slot_us = slot ? PyLong_AsLongLong(slot) : 0;
    for (Py_ssize_t i = 0; i < port_count && !PyErr_Occurred(); i++) {
        PyObject *item = PySequence_GetItem(ports, i);
        unsigned long port = item ? PyLong_AsUnsignedLong(item) : 65536;
        if (i >= 255)
            PyErr_SetString(PyExc_ValueError, "MESSAGE_PORTS: too many");
        else if (port < 65536)
            notable->message_port[port] = (unsigned char)(1 + i);
        Py_XDECREF(item);
    }
    for (Py_ssize_t i = 0; i < start_count && !PyErr_Occurred(); i++) {
        PyObject *item = PySequence_GetItem(starts, i);
        char *text;
        Py_ssize_t size;
        if (item && !PyBytes_AsStringAndSize(item, &text, &size) && size == 4 && i < MOST_STARTS) {
            const unsigned char *start = (const unsigned char *)text;
            notable->first_letter[start[0]] = 1;
            notable->request_starts[notable->request_count++] = big_endian(start);
        } else if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "REQUEST_STARTS: too many, or not of four bytes");
        }
        Py_XDECREF(item);
    }
    Py_XDECREF(groups), Py_XDECREF(slot), Py_XDECREF(ports), Py_XDECREF(starts);
    if (!PyErr_Occurred() && *slot_us <= 0)
        PyErr_SetString(PyExc_ValueError, "SLOT_US must be positive");
    return PyErr_Occurred() ? -1 : 0;
}

static void rows_close(Rows *rows)
{
    while (rows->opened)
        PyBuffer_Release(&rows->views[--rows->opened]);
    if (rows->buf.obj)
        PyBuffer_Release(&rows->buf);
    Py_CLEAR(rows->payloads);
    Py_CLEAR(rows->macs);
    PyMem_Free(rows->special);
    rows->special = NULL;
}

/* An attribute. Its name is interned: the type caches of Python keep names by identity, and a new string each time would
   push out what is in them. */
static PyObject *attribute(PyObject *object, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name);
    PyObject *value = interned ? PyObject_GetAttr(object, interned) : NULL;
    Py_XDECREF(interned);
    return value;
}

static int open_column(Rows *rows, int column)
{
    Py_buffer *view = &rows->views[column];
    PyObject *array = attribute(rows->columns, LAYOUT[column].name);
    int failed = !array || PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT);
    Py_XDECREF(array);
    if (failed)
        return -1;
    rows->opened++;
    const char *code = view->format ? view->format : "B";
    if (view->ndim != 1 || view->itemsize != LAYOUT[column].size || !code[0] || code[1] ||
        !strchr(LAYOUT[column].codes, code[0])) {
        PyErr_Format(PyExc_TypeError, "column %s has another type than it should have", LAYOUT[column].name);
        return -1;
    }
    Py_ssize_t count = view->len / view->itemsize;
    if (column && count != rows->count) {
        PyErr_Format(PyExc_ValueError, "column %s has %zd rows, not %zd", LAYOUT[column].name, count, rows->count);
        return -1;
    }
    rows->count = count;
    return 0;
}

static PyObject *get_dict(PyObject *columns, const char *name)
{
    PyObject *dict = attribute(columns, name);
    if (dict && !PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "%s is not a dict", name);
        Py_CLEAR(dict);
    }
    return dict;
}

static int mark_special(Rows *rows)
{
    if (!PyDict_Size(rows->payloads))
        return 0;
    rows->special = PyMem_Calloc((size_t)rows->count + 1, 1);
    if (!rows->special) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject *key, *value;
    for (Py_ssize_t place = 0; PyDict_Next(rows->payloads, &place, &key, &value);) {
        Py_ssize_t row = PyLong_AsSsize_t(key);
        if (row == -1 && PyErr_Occurred())
            return -1;
        if (row < 0 || row >= rows->count || !PyBytes_Check(value)) {
            PyErr_SetString(PyExc_ValueError, "payloads: not the bytes of a row");
            return -1;
        }
        rows->special[row] = 1;
    }
    return 0;
}

/* Open a chunk; -1 with an exception set. `rows_close` afterwards in either case. */
static int rows_open(Rows *rows, PyObject *buf, PyObject *columns)
{
    memset(rows, 0, sizeof *rows);
    rows->buf_object = buf;
    rows->columns = columns;
    if (PyObject_GetBuffer(buf, &rows->buf, PyBUF_SIMPLE))
        return -1;
    for (int column = 0; column < COLUMNS; column++)
        if (open_column(rows, column))
            return -1;
    rows->payloads = get_dict(columns, "payloads");
    rows->macs = get_dict(columns, "macs");
    return rows->payloads && rows->macs ? mark_special(rows) : -1;
}

/* `size` bytes of the buffer at `offset`; NULL with ValueError where it has not that many. */
static inline const unsigned char *rows_bytes(const Rows *rows, int64_t offset, int64_t size)
{
    if (offset < 0 || size < 0 || offset > rows->buf.len || size > rows->buf.len - offset) {
        PyErr_SetString(PyExc_ValueError, "columns: a row lies outside of the buffer");
        return NULL;
    }
    return (const unsigned char *)rows->buf.buf + offset;
}

/* Whether the payload of a row is wanted even in a flow that nobody looks into any more (groups._notable); -1 on error. */
static inline int is_notable(const Notable *notable, const Rows *rows, Py_ssize_t row)
{
    int64_t size = CELL(rows, PAYLOAD_SIZE, int64_t, row);
    if (size <= 0)
        return 0;
    if (rows->special && rows->special[row])
        return 1; /* reassembled: not in the buffer, so let the reader look */
    int protocol = CELL(rows, PROTOCOL, int16_t, row);
    if (protocol != 6 && protocol != 17)
        return 0;
    const unsigned char *start = rows_bytes(rows, CELL(rows, PAYLOAD_OFFSET, int64_t, row), size);
    if (!start)
        return -1;
    if (protocol == 17) {
        uint32_t source = (uint32_t)CELL(rows, SOURCE_PORT, int32_t, row);
        uint32_t destination = (uint32_t)CELL(rows, DESTINATION_PORT, int32_t, row);
        if ((source < 65536 && notable->message_port[source]) || (destination < 65536 && notable->message_port[destination]))
            return 1;
        /* QUIC long header with the fixed bit (RFC 9000 section 17.2) in a datagram that may carry an Initial (14.1). */
        return size >= 1000 && (start[0] & 0xC0) == 0xC0;
    }
    /* TLS record: handshake (22), version 3.x, then a ClientHello (1) behind the record's length (RFC 8446 section 5.1). */
    if (start[0] == 0x16)
        return size > 5 && start[1] == 3 && start[5] == 1;
    if (size < 4 || !notable->first_letter[start[0]])
        return 0;
    uint32_t head = big_endian(start);
    for (int i = 0; i < notable->request_count; i++)
        if (notable->request_starts[i] == head)
            return 1;
    return 0;
}

#endif
