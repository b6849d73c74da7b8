/* DNS over UDP, of which a home has more than of any other message: the twin of DnsInspector in daemon/flow/udp.py.

   Rule 1: what the reader of messages in C (daemon/decode/_dns.c) does not know is for the inspector in Python.
   Rule 2: facts are what daemon/flow/messages.py makes, field by field. */

#ifndef HOMEPORT_FLOW_CORE_DNS_H
#define HOMEPORT_FLOW_CORE_DNS_H

#include <Python.h>
#include <stdint.h>

#include "_core_flow.h"

/* What daemon.flow.udp.CORE_DNS holds, borrowed. */
typedef struct {
    PyObject *reader; /* the inspector whose work this is */
    PyObject *parse; /* bytes -> Message, or None */
    PyObject *fact; /* DnsFact */
    PyObject *transport, *service; /* words */
} Dns;

enum { M_RESPONSE = 1, M_RCODE = 3, M_QUESTIONS = 5, M_RECORDS = 6 }; /* places in a Message */

static int read_dns(PyObject *tuple, Dns *dns)
{
    return PyArg_ParseTuple(tuple, "OOO!UU:CORE_DNS", &dns->reader, &dns->parse, &PyType_Type, &dns->fact, &dns->transport,
                            &dns->service)
               ? 0
               : -1;
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
    PyObject *list; /* of facts, borrowed */
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
    PyObject *const items[] = {
        PyLong_FromLongLong(said->time_us), PyLong_FromLongLong(said->flow->ends[said->asker]),
        PyLong_FromLongLong(said->flow->ends[1 - said->asker]), Py_NewRef(said->dns->transport),
        PyBool_FromLong(rcode != Py_None), name ? Py_NewRef(name) : PyUnicode_FromString(""),
        type ? Py_NewRef(type) : PyUnicode_FromString(""), Py_NewRef(rcode), PyLong_FromSsize_t(answers),
        records ? Py_NewRef(records) : PyTuple_New(0),
    };
    PyObject *row = tuple_of(items, sizeof items / sizeof items[0]), *fact = row ? named_tuple(said->dns->fact, row) : NULL;
    int failed = !fact || PyList_Append(said->list, fact);
    Py_XDECREF(fact);
    return failed ? -1 : 0;
}

/* The facts of a message; -1 with an exception set. */
static int tell_message(const Said *said, PyObject *message, int response)
{
    PyObject *questions = PyTuple_GetItem(message, M_QUESTIONS), *records = PyTuple_GetItem(message, M_RECORDS);
    Py_ssize_t count = questions && records ? PyTuple_Size(questions) : -1;
    if (count < 0)
        return -1;
    if (response) {
        PyObject *rcode = PyTuple_GetItem(message, M_RCODE), *first = count ? PyTuple_GetItem(questions, 0) : NULL;
        Py_ssize_t answers = count_answers(records);
        return !rcode || answers < 0 ? -1 : add_fact(said, first, rcode, answers, records);
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (add_fact(said, PyTuple_GetItem(questions, i), Py_None, 0, NULL))
            return -1;
    return 0;
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
    PyObject *payload = row_payload(rows, row), *message = NULL, *list = NULL;
    message = payload ? PyObject_CallFunctionObjArgs(dns.parse, payload, NULL) : NULL;
    Py_XDECREF(payload);
    if (!message || message == Py_None) {
        Py_XDECREF(message);
        return message ? 0 : -1;
    }
    int response = PyObject_IsTrue(PyTuple_GetItem(message, M_RESPONSE)), failed = 1;
    if (response >= 0 && (list = PyObject_GetAttr(self->facts, self->names[N_DNS]))) {
        Said said = {list, &dns, flow, response ? 1 - side : side, CELL(rows, TIME_US, int64_t, row)};
        learn_dns(flow, &dns, said.asker);
        flow->wants = BOTH;
        failed = tell_message(&said, message, response);
    }
    Py_XDECREF(list);
    Py_DECREF(message);
    return failed ? -1 : 1;
}

#endif
