/* What a core takes from the Python modules beside it when it is made: names, rules, readers.

   The functions answer 0, or -1 with an exception set. */

#ifndef HOMEPORT_FLOW_CORE_SETUP_H
#define HOMEPORT_FLOW_CORE_SETUP_H

#include <Python.h>
#include <string.h>

#include "_core_dns.h"
#include "_core_flow.h"

/* The random key of the hash. */
static int draw_seed(Core *self)
{
    PyObject *os = PyImport_ImportModule("os");
    PyObject *seed = os ? PyObject_CallMethod(os, "urandom", "i", (int)sizeof self->table.seed) : NULL;
    char *bytes;
    Py_ssize_t size;
    int failed = !seed || PyBytes_AsStringAndSize(seed, &bytes, &size) || size != sizeof self->table.seed;
    if (!failed)
        memcpy(self->table.seed, bytes, sizeof self->table.seed);
    Py_XDECREF(os), Py_XDECREF(seed);
    return failed ? -1 : 0;
}

/* The readers of message ports, under the numbers that `notable_set_up` gave the ports. */
static int set_up_readers(Core *self)
{
    PyObject *udp = PyImport_ImportModule("daemon.flow.udp");
    PyObject *readers = udp ? attribute(udp, "MESSAGE_INSPECTORS") : NULL, *port, *reader;
    int failed = !readers || !PyDict_Check(readers);
    for (Py_ssize_t place = 0; !failed && PyDict_Next(readers, &place, &port, &reader);) {
        unsigned long number = PyLong_AsUnsignedLong(port);
        failed = number > 65535 || !self->notable.message_port[number] || self->readers[self->notable.message_port[number]];
        if (!failed)
            self->readers[self->notable.message_port[number]] = Py_NewRef(reader);
    }
    Py_XDECREF(udp), Py_XDECREF(readers);
    if (failed && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "MESSAGE_INSPECTORS: not by MESSAGE_PORTS");
    return failed ? -1 : 0;
}

/* What ends flows and reads DNS without calling Python; both may be missing. */
static int set_up_shortcuts(Core *self)
{
    Makers makers;
    Dns dns;
    PyObject *conversation = PyImport_ImportModule("daemon.flow.conversation"), *udp = PyImport_ImportModule("daemon.flow.udp");
    PyObject *talk = conversation ? attribute(conversation, "Talk") : NULL;
    PyObject *usual = talk ? PyObject_GetAttr(talk, self->names[N_RELEASE]) : NULL;
    PyObject *own = usual ? PyObject_GetAttr((PyObject *)self->conversation, self->names[N_RELEASE]) : NULL;
    PyObject *made = own ? attribute(conversation, "MAKERS") : NULL;
    PyObject *read = made && udp ? attribute(udp, "CORE_DNS") : NULL;
    int failed = !read || read_makers(made, &makers) || (read != Py_None && read_dns(read, &dns));
    if (!failed) {
        self->makers = own == usual ? Py_NewRef(made) : NULL;
        self->dns = read != Py_None ? Py_NewRef(read) : NULL;
    }
    Py_XDECREF(conversation), Py_XDECREF(udp), Py_XDECREF(talk), Py_XDECREF(usual), Py_XDECREF(own);
    Py_XDECREF(made), Py_XDECREF(read);
    return failed ? -1 : 0;
}

/* The inspector of ICMPv6; none where a conversation looks into its payloads in a way of its own. */
static int set_up_icmpv6(Core *self)
{
    PyObject *conversation = PyImport_ImportModule("daemon.flow.conversation"), *icmpv6 = PyImport_ImportModule("daemon.flow.icmpv6");
    PyObject *talk = conversation ? attribute(conversation, "Talk") : NULL;
    PyObject *usual = talk ? PyObject_GetAttr(talk, self->names[N_INSPECT]) : NULL;
    PyObject *own = usual ? PyObject_GetAttr((PyObject *)self->conversation, self->names[N_INSPECT]) : NULL;
    PyObject *made = own && icmpv6 ? attribute(icmpv6, "STATELESS") : NULL;
    self->advertised = own == usual ? Py_XNewRef(made) : NULL;
    Py_XDECREF(conversation), Py_XDECREF(icmpv6), Py_XDECREF(talk), Py_XDECREF(usual), Py_XDECREF(own), Py_XDECREF(made);
    return PyErr_Occurred() ? -1 : 0;
}

/* What reads starts; nothing where a conversation looks into its payloads in a way of its own, or a reader is missing. */
static int set_up_starts(Core *self)
{
    PyObject *conversation = PyImport_ImportModule("daemon.flow.conversation"), *starts = PyImport_ImportModule("daemon.flow.starts");
    PyObject *talk = conversation ? attribute(conversation, "Talk") : NULL;
    PyObject *usual = talk ? PyObject_GetAttr(talk, self->names[N_INSPECT]) : NULL;
    PyObject *own = usual ? PyObject_GetAttr((PyObject *)self->conversation, self->names[N_INSPECT]) : NULL;
    PyObject *taken = own && starts ? attribute(starts, "CORE_STARTS") : NULL;
    PyObject *module = taken ? PyType_GetModule(Py_TYPE((PyObject *)self)) : NULL; /* borrowed */
    int failed = !module;
    if (!failed && own == usual && taken != Py_None) {
        for (int i = 0; i < S_TCP && !failed; i++) {
            PyObject *item = PyTuple_GetItem(taken, i);
            self->starts[i] = Py_XNewRef(item);
            failed = !item;
        }
        PyObject *base = attribute(module, "Hello"), *made = self->starts[S_HELLO];
        failed = failed || !base || !made || !PyType_Check(made) || !PyType_IsSubtype((PyTypeObject *)made, (PyTypeObject *)base);
        Py_XDECREF(base);
        self->starts[S_TCP] = attribute(module, "TcpStart");
        self->starts[S_UDP] = self->starts[S_TCP] ? attribute(module, "UdpStart") : NULL;
        self->hellos = failed ? NULL : PyCapsule_GetPointer(self->starts[S_READER], HELLO_READER);
        failed = failed || !self->hellos || !self->starts[S_UDP] || !PyDict_Check(self->starts[S_VERSIONS]);
    }
    Py_XDECREF(conversation), Py_XDECREF(starts), Py_XDECREF(talk), Py_XDECREF(usual), Py_XDECREF(own), Py_XDECREF(taken);
    if (failed && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "CORE_STARTS: not what it should be");
    return failed ? -1 : 0;
}

static int set_up(Core *self)
{
    for (int i = 0; i < NAMES; i++)
        if (!(self->names[i] = PyUnicode_InternFromString(NAME[i])))
            return -1;
    PyObject *columns = PyImport_ImportModule("daemon.decode.columns");
    self->link_addresses = columns ? attribute(columns, "link_addresses") : NULL;
    Py_XDECREF(columns);
    return !self->link_addresses || draw_seed(self) || notable_set_up(&self->notable, &self->slot_us) ||
                   set_up_readers(self) || set_up_shortcuts(self) || set_up_icmpv6(self) || set_up_starts(self)
               ? -1
               : 0;
}

#endif
