/* DNS over UDP, of which a home has more than of any other message: the twin of DnsInspector in daemon/flow/udp.py.

   Rule 1: what the reader of messages in C (daemon/decode/_dns.c) does not know is for the inspector in Python.
   Rule 2: facts are what daemon/flow/messages.py makes, field by field. */

#ifndef HOMEPORT_FLOW_CORE_DNS_H
#define HOMEPORT_FLOW_CORE_DNS_H

#include <Python.h>
#include <stdint.h>

#include "../decode/_dns_reader.h"
#include "_core_flow.h"

/* What daemon.flow.udp.CORE_DNS holds, borrowed. */
typedef struct {
    PyObject *reader; /* the inspector whose work this is */
    PyObject *parse; /* bytes -> Message, or None */
    PyObject *fact; /* DnsFact */
    PyObject *transport, *service; /* words */
} Dns;

enum { M_RESPONSE = 1, M_RCODE = 3, M_QUESTIONS = 5, M_RECORDS = 6, MESSAGE_FIELDS }; /* places in a Message */

static int read_dns(PyObject *tuple, Dns *dns)
{
    PyObject *const items[] = {PyTuple_GetItem(tuple, 0), PyTuple_GetItem(tuple, 1), PyTuple_GetItem(tuple, 2),
                               PyTuple_GetItem(tuple, 3), PyTuple_GetItem(tuple, 4)};
    if (!items[4])
        return -1;
    if (!PyType_Check(items[2]) || !PyUnicode_Check(items[3]) || !PyUnicode_Check(items[4])) {
        PyErr_SetString(PyExc_TypeError, "CORE_DNS: not what DNS is read by");
        return -1;
    }
    *dns = (Dns){items[0], items[1], items[2], items[3], items[4]};
    return 0;
}

static Py_ssize_t count_answers(PyObject *records)
{
    Py_ssize_t count = PyTuple_Size(records);
    for (; count > 0; count--) { /* other sections stand behind it */
        PyObject *record = PyTuple_GetItem(records, count - 1), *section = record ? PyTuple_GetItem(record, 0) : NULL;
        if (!section)
            return -1;
        if (!PyUnicode_CompareWithASCIIString(section, "answer"))
            break;
    }
    return count;
}

typedef struct {
    PyObject *list; /* of facts, or packed ones; borrowed */
    const Dns *dns;
    const Flow *flow;
    int asker;
    int64_t time_us;
} Said;

static int add_fact(const Said *said, PyObject *question, PyObject *rcode, Py_ssize_t answers, PyObject *records)
{
    PyObject *name = question ? PyTuple_GetItem(question, 0) : NULL, *type = name ? PyTuple_GetItem(question, 1) : NULL;
    if (question && !type)
        return -1;
    const Cell row[] = {
        {.number = said->time_us}, {.number = said->flow->ends[said->asker]}, {.number = said->flow->ends[1 - said->asker]},
        {.object = Py_NewRef(said->dns->transport)}, {.number = rcode != Py_None},
        {.object = name ? Py_NewRef(name) : PyUnicode_FromString("")},
        {.object = type ? Py_NewRef(type) : PyUnicode_FromString("")}, {.object = Py_NewRef(rcode)}, {.number = answers},
        {.object = records ? Py_NewRef(records) : PyTuple_New(0)},
    };
    return add_cells(said->list, said->dns->fact, DNS_SHAPE, row);
}

/* The facts of a message; -1 with an exception set. */
static int tell_message(const Said *said, const DnsRead *message)
{
    Py_ssize_t count = PyTuple_Size(message->questions);
    if (message->response) {
        PyObject *first = count > 0 ? PyTuple_GetItem(message->questions, 0) : NULL;
        Py_ssize_t answers = count_answers(message->records);
        return count < 0 || answers < 0 ? -1 : add_fact(said, first, message->rcode, answers, message->records);
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (add_fact(said, PyTuple_GetItem(message->questions, i), Py_None, 0, NULL))
            return -1;
    return count < 0 ? -1 : 0;
}

/* What reads messages, where `parse` is a function of _dns.c, else NULL. Borrowed. */
static DnsReader *reader_of(PyObject *parse)
{
    PyObject *lent = PyCFunction_Check(parse) ? PyCFunction_GetSelf(parse) : NULL;
    return lent && PyCapsule_IsValid(lent, DNS_READER) ? PyCapsule_GetPointer(lent, DNS_READER) : NULL;
}

/* The same by calling it. */
static int read_by_call(PyObject *parse, PyObject *payload, DnsRead *read)
{
    PyObject *message = payload ? PyObject_CallFunctionObjArgs(parse, payload, NULL) : NULL;
    if (!message || message == Py_None) {
        Py_XDECREF(message);
        return message ? 0 : -1;
    }
    int whole = PyTuple_Check(message) && PyTuple_Size(message) == MESSAGE_FIELDS;
    if (whole) {
        read->response = PyObject_IsTrue(PyTuple_GetItem(message, M_RESPONSE));
        read->rcode = Py_NewRef(PyTuple_GetItem(message, M_RCODE));
        read->questions = Py_NewRef(PyTuple_GetItem(message, M_QUESTIONS));
        read->records = Py_NewRef(PyTuple_GetItem(message, M_RECORDS));
    } else {
        PyErr_SetString(PyExc_TypeError, "CORE_DNS: not a message");
    }
    Py_DECREF(message);
    return whole && read->response >= 0 ? 1 : -1;
}

/* Read the payload of a row; 1, 0 where it is for Python to say what it is, or -1. */
static int read_row(const Dns *dns, const Rows *rows, Py_ssize_t row, DnsRead *read)
{
    DnsReader *reader = reader_of(dns->parse);
    if (reader && !(rows->special && rows->special[row])) {
        int64_t size = CELL(rows, PAYLOAD_SIZE, int64_t, row);
        const unsigned char *start = rows_bytes(rows, CELL(rows, PAYLOAD_OFFSET, int64_t, row), size);
        return start ? reader->read(reader, start, (Py_ssize_t)size, read) : -1;
    }
    PyObject *payload = row_payload(rows, row);
    int known = read_by_call(dns->parse, payload, read);
    Py_XDECREF(payload);
    return known;
}

static void learn_dns(Flow *flow, const Dns *dns, int asker)
{
    if (!flow->confirmed) {
        PyObject *before = flow->service;
        flow->service = Py_NewRef(dns->service);
        flow->confirmed = 1;
        Py_XDECREF(before);
    }
    if (flow->asker < 0)
        flow->asker = asker;
}

/* Read the datagram of a row; 1, 0 where it is for Python to say what it is, or -1. */
static int take_dns(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    Dns dns;
    if (!self->dns || flow->inspector != PyTuple_GetItem(self->dns, 0) || CELL(rows, PAYLOAD_SIZE, int64_t, row) <= 0)
        return 0; /* told before anything is unpacked: this is asked for every payload that somebody wants */
    if (read_dns(self->dns, &dns))
        return -1;
    DnsRead read = {0, 0, NULL, NULL, NULL};
    int known = read_row(&dns, rows, row, &read);
    PyObject *list = known > 0 ? PyObject_GetAttr(self->facts, self->names[N_DNS]) : NULL;
    if (list) {
        Said said = {list, &dns, flow, read.response ? 1 - side : side, CELL(rows, TIME_US, int64_t, row)};
        learn_dns(flow, &dns, said.asker);
        flow->wants = BOTH;
        known = tell_message(&said, &read) ? -1 : 1;
        Py_DECREF(list);
    } else if (known > 0) {
        known = -1;
    }
    forget_read(&read);
    return known;
}

#endif
