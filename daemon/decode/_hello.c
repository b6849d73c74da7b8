/* Hellos of TLS and QUIC in C: the twin of parse_records, parse_client_hello and parse_server_hello of tls.py, of
   certificate_names of certificate.py, and of parse_headers and parse_frames of quic_packet.py.

   Rule 1: the functions answer for what is whole and usual, and then exactly what their twins in Python do. For all else
           (cut, broken, SSLv2, names with odd bytes, very long lists) they answer None, and the twin decides.
   Rule 2: no byte outside the buffer is read; what is allocated is the answer, and the joined bytes of several records.
   Rule 3: no cryptography here: fingerprints leave in their raw form, packets are opened elsewhere.

   Stable ABI (Python 3.11 and later). */

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "_hello_quic.h"
#include "_hello_texts.h"

static const uint8_t retry_random[32] = /* RFC 8446 section 4.1.3 */
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

static PyObject *bytes_of(Bytes raw)
{
    return PyBytes_FromStringAndSize((const char *)raw.at, (Py_ssize_t)raw.size);
}

static PyObject *protocols_of(Bytes body)
{
    Bytes names[MOST_PROTOCOLS];
    size_t pos = 2;
    Py_ssize_t count = 0;
    while (count < MOST_PROTOCOLS && next_protocol(body, &pos, &names[count]))
        count++;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *text = plain_text(names[i], 0x20);
        if (!text || PyTuple_SetItem(tuple, i, text))
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* A tuple of `count` objects, which it takes over. One of them missing: None, or NULL if an error says why. */
static PyObject *answer(PyObject **parts, Py_ssize_t count)
{
    int whole = 1;
    for (Py_ssize_t i = 0; i < count; i++)
        whole = whole && parts[i];
    PyObject *tuple = whole ? PyTuple_New(count) : NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (tuple)
            PyTuple_SetItem(tuple, i, parts[i]); /* cannot fail: the tuple is new and has the place */
        else
            Py_XDECREF(parts[i]);
    }
    if (!tuple && !PyErr_Occurred())
        Py_RETURN_NONE;
    return tuple;
}

/* The arguments' first, a buffer of bytes. */
static int open_buffer(const char *name, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t wanted, Py_buffer *view)
{
    if (nargs != wanted) {
        PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, not %zd", name, wanted, nargs);
        return -1;
    }
    return PyObject_GetBuffer(args[0], view, PyBUF_SIMPLE);
}

PyDoc_STRVAR(client_doc,
"parse_client_hello(message, transport)\n"
"\n"
"The fields of tls.ClientHello, with the version as number (-1: none) and JA4 in its raw form; None: ask tls.py.");

static PyObject *client_hello(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer view;
    Client client;
    char raw[MOST_RAW];
    (void)module;
    if (open_buffer("parse_client_hello", args, nargs, 2, &view))
        return NULL;
    Py_ssize_t letters = 0;
    const char *transport = PyUnicode_AsUTF8AndSize(args[1], &letters);
    PyObject *found = NULL;
    if (transport && letters != 1) {
        PyErr_SetString(PyExc_ValueError, "a transport is one ASCII letter");
    } else if (transport && !read_client(view.buf, (size_t)view.len, transport[0] == 'd', &client)) {
        found = Py_NewRef(Py_None);
    } else if (transport) {
        int version = highest_version(&client);
        size_t size = put_ja4(&client, transport[0], version, raw);
        PyObject *parts[] = {
            size ? name_of(host_name(client.extensions.name)) : NULL,
            size ? protocols_of(client.extensions.alpn) : NULL,
            PyLong_FromLong(version),
            bytes_of((Bytes){client.message + 6, 32}),
            ech_of(&client.extensions),
            PyUnicode_FromStringAndSize(raw, (Py_ssize_t)size),
        };
        found = answer(parts, sizeof parts / sizeof parts[0]);
    }
    PyBuffer_Release(&view);
    return found;
}

PyDoc_STRVAR(server_doc,
"parse_server_hello(message)\n"
"\n"
"The fields of tls.ServerHello, with version and cipher as numbers; None: ask tls.py.");

static PyObject *server_hello(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer view;
    Server server;
    (void)module;
    if (open_buffer("parse_server_hello", args, nargs, 1, &view))
        return NULL;
    PyObject *found = NULL;
    if (!read_server(view.buf, (size_t)view.len, &server)) {
        found = Py_NewRef(Py_None);
    } else {
        Bytes chosen = server.extensions.versions, protocol;
        size_t pos = 2;
        PyObject *parts[] = {
            PyLong_FromLong((long)get16(chosen.size == 2 ? chosen.at : server.message + 4)),
            PyLong_FromLong((long)server.cipher),
            next_protocol(server.extensions.alpn, &pos, &protocol) ? plain_text(protocol, 0x20) : Py_NewRef(Py_None),
            PyBool_FromLong(memcmp(server.message + 6, retry_random, sizeof retry_random) == 0),
        };
        found = answer(parts, sizeof parts / sizeof parts[0]);
    }
    PyBuffer_Release(&view);
    return found;
}

/* Add a name that is not there yet; 0, or -1 without an error where it is not usual. */
static int add_name(PyObject *list, int tag, Bytes value)
{
    PyObject *name = NULL;
    if (tag == DER_DNS)
        name = name_of((Bytes){value.at, value.size < LONGEST_NAME ? value.size : LONGEST_NAME});
    else if (value.size == 4)
        name = PyUnicode_FromFormat("%d.%d.%d.%d", value.at[0], value.at[1], value.at[2], value.at[3]);
    int known = !name ? -1 : name == Py_None ? 1 : PySequence_Contains(list, name);
    int failed = known < 0 || (!known && PyList_Append(list, name));
    Py_XDECREF(name);
    return failed ? -1 : 0;
}

PyDoc_STRVAR(names_doc,
"certificate_names(message)\n"
"\n"
"What certificate.py answers; None: ask it.");

static PyObject *certificate_names(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer view;
    Bytes names, value;
    (void)module;
    if (open_buffer("certificate_names", args, nargs, 1, &view))
        return NULL;
    PyObject *list = PyList_New(0), *tuple = NULL;
    int usual = list && certified_names((Bytes){view.buf, (size_t)view.len}, &names) && names.size;
    for (int pass = DER_DNS; usual && pass <= DER_ADDRESS; pass += DER_ADDRESS - DER_DNS) { /* names stand before addresses */
        Bytes rest = names;
        for (int count = 0; usual && rest.size; count++) {
            int tag = der_next(&rest, &value);
            usual = (tag == DER_DNS || tag == DER_ADDRESS) && count < MOST_CERTIFIED &&
                    (tag != pass || !add_name(list, tag, value));
        }
    }
    PyBuffer_Release(&view);
    if (usual)
        tuple = PyList_AsTuple(list);
    else if (!PyErr_Occurred())
        tuple = Py_NewRef(Py_None);
    Py_XDECREF(list);
    return tuple;
}

/* The messages in `bytes`; what tls.Flight says of them, None where that is an error. */
static PyObject *flight_of(Bytes bytes, size_t limit, size_t consumed, int done)
{
    PyObject *messages = PyList_New(0);
    size_t start = 0, partial = 0;
    Bytes tail = {NULL, 0};
    while (messages && start < bytes.size) {
        size_t left = bytes.size - start;
        size_t size = left >= 4 ? 4 + get24(bytes.at + start + 1) : 4;
        int known = is_message_type(bytes.at[start]);
        if (!known || size > limit) {
            if (known && !PyList_Size(messages)) {
                Py_DECREF(messages);
                Py_RETURN_NONE;
            }
            done = 1;
            break;
        }
        if (size > left) {
            partial = size;
            tail = (Bytes){bytes.at + start, left};
            break;
        }
        PyObject *message = PyBytes_FromStringAndSize((const char *)bytes.at + start, (Py_ssize_t)size);
        if (!message || PyList_Append(messages, message))
            Py_CLEAR(messages);
        Py_XDECREF(message);
        start += size;
    }
    if (!messages)
        return NULL;
    PyObject *parts[] = {
        PyList_AsTuple(messages),
        PyLong_FromSize_t(consumed),
        PyBool_FromLong(done),
        PyLong_FromSize_t(partial),
        bytes_of(tail),
    };
    Py_DECREF(messages);
    return answer(parts, sizeof parts / sizeof parts[0]);
}

static PyObject *flight_of_fragments(const Joined *joined, size_t limit)
{
    size_t size = 0;
    if (joined->count == 1)
        return flight_of(joined->fragments[0], limit, joined->consumed, joined->done);
    for (size_t i = 0; i < joined->count; i++)
        size += joined->fragments[i].size;
    uint8_t *together = PyMem_Malloc(size ? size : 1);
    if (!together)
        return PyErr_NoMemory();
    size = 0;
    for (size_t i = 0; i < joined->count; i++) {
        memcpy(together + size, joined->fragments[i].at, joined->fragments[i].size);
        size += joined->fragments[i].size;
    }
    PyObject *flight = flight_of((Bytes){together, size}, limit, joined->consumed, joined->done);
    PyMem_Free(together);
    return flight;
}

PyDoc_STRVAR(records_doc,
"parse_records(stream, limit)\n"
"\n"
"The fields of tls.Flight; None: ask tls.py.");

static PyObject *records(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer view;
    Joined joined;
    (void)module;
    if (open_buffer("parse_records", args, nargs, 2, &view))
        return NULL;
    Py_ssize_t limit = PyLong_AsSsize_t(args[1]);
    PyObject *flight = NULL;
    if (limit < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "a limit is not negative");
    } else if (view.len < 5 || is_v2_hello(view.buf)
               || !join_fragments(view.buf, (size_t)view.len, (size_t)limit, &joined)) {
        flight = Py_NewRef(Py_None);
    } else {
        flight = flight_of_fragments(&joined, (size_t)limit);
    }
    PyBuffer_Release(&view);
    return flight;
}

/* A tuple of `count` answers, one a place; None where there is no count. */
static PyObject *each_of(int count, PyObject *(*make)(const void *), const char *places, size_t step)
{
    if (count < 0)
        Py_RETURN_NONE;
    PyObject *tuple = PyTuple_New(count);
    for (int i = 0; tuple && i < count; i++) {
        PyObject *one = make(places + (size_t)i * step);
        if (!one || PyTuple_SetItem(tuple, i, one))
            Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *header_of(const void *place)
{
    const Header *header = place;
    PyObject *parts[] = {
        PyLong_FromUnsignedLong(header->version), bytes_of(header->dcid), bytes_of(header->scid), bytes_of(header->token),
        PyLong_FromSize_t(header->start), PyLong_FromSize_t(header->number), PyLong_FromSize_t(header->end),
    };
    return answer(parts, sizeof parts / sizeof parts[0]);
}

static PyObject *fragment_of(const void *place)
{
    const Fragment *fragment = place;
    PyObject *parts[] = {PyLong_FromUnsignedLongLong(fragment->offset), bytes_of(fragment->data)};
    return answer(parts, sizeof parts / sizeof parts[0]);
}

PyDoc_STRVAR(headers_doc,
"parse_headers(datagram)\n"
"\n"
"The fields of quic_packet.Header for each Initial; None: ask quic_packet.py.");

static PyObject *headers(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer view;
    Header found[MOST_PACKETS];
    (void)module;
    if (open_buffer("parse_headers", args, nargs, 1, &view))
        return NULL;
    int count = read_headers(view.buf, (size_t)view.len, found);
    PyObject *tuple = each_of(count, header_of, (const char *)found, sizeof found[0]);
    PyBuffer_Release(&view);
    return tuple;
}

PyDoc_STRVAR(frames_doc,
"parse_frames(plain, crypto)\n"
"\n"
"Offset and data of each CRYPTO frame, whose type is `crypto`; None: ask quic_packet.py.");

static PyObject *frames(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer view;
    Fragment found[MOST_FRAMES];
    (void)module;
    if (open_buffer("parse_frames", args, nargs, 2, &view))
        return NULL;
    PyObject *tuple = NULL;
    unsigned long crypto = PyLong_AsUnsignedLong(args[1]);
    if (!PyErr_Occurred()) {
        int count = crypto < 0x40 ? read_frames(view.buf, (size_t)view.len, (unsigned)crypto, found) : -1;
        tuple = each_of(count, fragment_of, (const char *)found, sizeof found[0]);
    }
    PyBuffer_Release(&view);
    return tuple;
}

static PyMethodDef methods[] = {
    {"parse_client_hello", (PyCFunction)(void (*)(void))client_hello, METH_FASTCALL, client_doc},
    {"parse_server_hello", (PyCFunction)(void (*)(void))server_hello, METH_FASTCALL, server_doc},
    {"parse_records", (PyCFunction)(void (*)(void))records, METH_FASTCALL, records_doc},
    {"parse_headers", (PyCFunction)(void (*)(void))headers, METH_FASTCALL, headers_doc},
    {"certificate_names", (PyCFunction)(void (*)(void))certificate_names, METH_FASTCALL, names_doc},
    {"parse_frames", (PyCFunction)(void (*)(void))frames, METH_FASTCALL, frames_doc},
    {NULL, NULL, 0, NULL},
};

/* The reader is of this module, which stays: nothing takes a module in C away again. */
static int module_exec(PyObject *module)
{
    PyObject *reader = PyCapsule_New((void *)(uintptr_t)&READER, HELLO_READER, NULL);
    int failed = !reader || PyModule_AddObjectRef(module, "reader", reader);
    Py_XDECREF(reader);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "daemon.decode._hello", "Hellos of TLS and QUIC, in C.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__hello(void) { return PyModuleDef_Init(&definition); }
