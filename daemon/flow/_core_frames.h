/* Frames without IP on Ethernet, counted: the twin of FrameCounter.add in daemon/flow/frames.py. */

#ifndef HOMEPORT_FLOW_CORE_FRAMES_H
#define HOMEPORT_FLOW_CORE_FRAMES_H

#include <Python.h>
#include <stdint.h>

#include "_core_flow.h"

enum { FRAME_KIND = 2, ARP = 0x0806, ARP_SIZE = 28 };

#define COUNT_FRAMES_DOC                                                                                               \
    "count_frames(buf, columns, frames, spans, endpoints, (key, name_of, claimed, slot_us)): count the frames of a chunk.\n" \
    "\n"                                                                                                               \
    "The first two are Facts.frames and Facts.seen, the rest is from frames.py. The answer are the rows left to Python."

/* All borrowed. */
typedef struct {
    PyObject *frames, *spans, *endpoints;
    PyObject *key, *name_of, *claimed; /* FrameKey; ethertype -> word; bytes of ARP -> an end as Endpoints takes it, or None */
    long long slot_us;
} Counted;

/* Add to a number in a list. */
static int add_at(PyObject *list, Py_ssize_t place, long long more)
{
    PyObject *item = PyList_GetItem(list, place);
    long long known = item ? PyLong_AsLongLong(item) : 0;
    PyObject *sum = PyErr_Occurred() ? NULL : PyLong_FromLongLong(known + more);
    return sum ? PyList_SetItem(list, place, sum) : -1;
}

/* The FrameKey of a row whose link addresses begin at `frame`. */
static PyObject *frame_key(const Counted *to, const Rows *rows, Py_ssize_t row, const unsigned char *frame)
{
    int64_t time_us = CELL(rows, TIME_US, int64_t, row), slot = time_us / to->slot_us - (time_us % to->slot_us < 0);
    long long macs[2] = {0, 0};
    for (int i = 0; i < 12; i++) /* the destination stands first */
        macs[i < 6] = macs[i < 6] << 8 | frame[i];
    PyObject *type = PyLong_FromLong(CELL(rows, ETHERTYPE, int32_t, row));
    PyObject *const items[] = {
        PyLong_FromLongLong((long long)((uint64_t)slot * (uint64_t)to->slot_us)), /* wraps where no packet's time is */
        PyLong_FromLongLong(macs[0]), PyLong_FromLongLong(macs[1]),
        type ? PyObject_CallFunctionObjArgs(to->name_of, type, NULL) : NULL,
    };
    Py_XDECREF(type);
    return named_tuple(to->key, tuple_of(items, 4));
}

/* What an ARP packet says of its sender. */
static int see_claim(const Counted *to, const Rows *rows, Py_ssize_t row)
{
    int64_t size = CELL(rows, PAYLOAD_SIZE, int64_t, row), time_us = CELL(rows, TIME_US, int64_t, row);
    size = size < ARP_SIZE ? size : ARP_SIZE;
    if (size <= 0)
        return 0;
    const unsigned char *start = rows_bytes(rows, CELL(rows, PAYLOAD_OFFSET, int64_t, row), size);
    PyObject *said = start ? PyBytes_FromStringAndSize((const char *)start, (Py_ssize_t)size) : NULL;
    PyObject *end = said ? PyObject_CallFunctionObjArgs(to->claimed, said, NULL) : NULL, *number = NULL;
    Py_XDECREF(said);
    if (end && end != Py_None && PyTuple_Check(end)) {
        PyObject *ask = attribute(to->endpoints, "number");
        number = ask ? PyObject_Call(ask, end, NULL) : NULL;
        Py_XDECREF(ask);
    }
    Py_XDECREF(end);
    long long found = number ? PyLong_AsLongLong(number) : -1;
    Py_XDECREF(number);
    return PyErr_Occurred() ? -1 : found < 0 ? 0 : stretch_span(to->spans, found, time_us, time_us, 1);
}

static int count_frame(const Counted *to, const Rows *rows, Py_ssize_t row)
{
    const unsigned char *frame = rows_bytes(rows, CELL(rows, FRAME_OFFSET, int64_t, row), 12);
    PyObject *key = frame ? frame_key(to, rows, row, frame) : NULL;
    PyObject *cell = key ? PyDict_GetItemWithError(to->frames, key) : NULL;
    int failed = !key || PyErr_Occurred();
    if (!failed && !cell) {
        cell = Py_BuildValue("[ii]", 0, 0);
        failed = !cell || PyDict_SetItem(to->frames, key, cell);
        Py_XDECREF(cell);
    }
    failed = failed || add_at(cell, 0, 1) || add_at(cell, 1, CELL(rows, WIRE, int64_t, row));
    Py_XDECREF(key);
    return failed || (CELL(rows, ETHERTYPE, int32_t, row) == ARP && see_claim(to, rows, row)) ? -1 : 0;
}

/* Whether a row is for Python: its link addresses are not the first bytes of its frame; -1 on error. */
static int is_other(const Rows *rows, PyObject *number, Py_ssize_t row)
{
    return CELL(rows, LINK, int32_t, row) != ETHERNET ? 1 : PyDict_Size(rows->macs) ? PyDict_Contains(rows->macs, number) : 0;
}

static int count_all(const Counted *to, const Rows *rows, PyObject *others)
{
    for (Py_ssize_t row = 0; row < rows->count; row++) {
        if (CELL(rows, KIND, uint8_t, row) != FRAME_KIND)
            continue;
        PyObject *number = PyLong_FromSsize_t(row);
        int other = number ? is_other(rows, number, row) : -1;
        int failed = other < 0 || (other ? PyList_Append(others, number) : count_frame(to, rows, row));
        Py_XDECREF(number);
        if (failed)
            return -1;
    }
    return 0;
}

static PyObject *count_frames(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *buf, *columns;
    Counted to;
    Rows rows = {.opened = 0};
    if (!PyArg_ParseTuple(arguments, "OOO!O!O(O!OOL):count_frames", &buf, &columns, &PyDict_Type, &to.frames, &PyDict_Type,
                          &to.spans, &to.endpoints, &PyType_Type, &to.key, &to.name_of, &to.claimed, &to.slot_us))
        return NULL;
    if (to.slot_us <= 0)
        return PyErr_Format(PyExc_ValueError, "a slot is a time");
    PyObject *others = PyList_New(0);
    if (!others || rows_open(&rows, buf, columns) || count_all(&to, &rows, others))
        Py_CLEAR(others);
    rows_close(&rows);
    return others;
}

#endif
