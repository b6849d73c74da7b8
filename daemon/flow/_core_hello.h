/* A hello that the core has read (`_core_start.h`), as an object that Python extends: see Hello in daemon/flow/hello.py.

   Its texts are seen from Python under the names of that class; NULL is None. They are in no cycle. */

#ifndef HOMEPORT_FLOW_CORE_HELLO_H
#define HOMEPORT_FLOW_CORE_HELLO_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <structmember.h>

enum {
    H_SOURCE, H_NAME, H_ALPN, H_VERSION, H_CHOSEN_VERSION, H_CIPHER, H_ECH, H_JA4, H_CERTIFIED, H_METHOD, H_AGENT, H_RANDOM,
    HELLO_TEXTS
};

typedef struct {
    PyObject_HEAD
    long long index, seen_us;
    int side;
    PyObject *texts[HELLO_TEXTS]; /* owned */
} Hello;

static void hello_dealloc(Hello *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    for (int i = 0; i < HELLO_TEXTS; i++)
        Py_XDECREF(self->texts[i]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

#define TEXT(name, place) {name, T_OBJECT, offsetof(Hello, texts) + (place) * sizeof(PyObject *), 0, NULL}

static PyMemberDef HELLO_MEMBERS[] = {
    {"index", T_LONGLONG, offsetof(Hello, index), READONLY, NULL},
    {"seen_us", T_LONGLONG, offsetof(Hello, seen_us), READONLY, NULL},
    {"side", T_INT, offsetof(Hello, side), READONLY, NULL},
    TEXT("source", H_SOURCE), TEXT("name", H_NAME), TEXT("alpn", H_ALPN), TEXT("version", H_VERSION),
    TEXT("chosen_version", H_CHOSEN_VERSION), TEXT("cipher", H_CIPHER), TEXT("ech", H_ECH), TEXT("ja4", H_JA4),
    TEXT("certificate_names", H_CERTIFIED), TEXT("method", H_METHOD), TEXT("user_agent", H_AGENT), TEXT("random", H_RANDOM),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot HELLO_SLOTS[] = {
    {Py_tp_doc, "A handshake; made by a core."},
    {Py_tp_dealloc, hello_dealloc},
    {Py_tp_members, HELLO_MEMBERS},
    {0, NULL},
};

static PyType_Spec HELLO_SPEC = {
    .name = "daemon.flow._core.Hello",
    .basicsize = sizeof(Hello),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = HELLO_SLOTS,
};

/* Whether an object is a hello of C. There are no subclasses but that of Python, which adds no fields. */
static int is_hello(PyObject *object)
{
    for (PyTypeObject *type = Py_TYPE(object); type; type = PyType_GetSlot(type, Py_tp_base))
        if (PyType_GetSlot(type, Py_tp_dealloc) == (void *)hello_dealloc)
            return 1;
    return 0;
}

#endif
