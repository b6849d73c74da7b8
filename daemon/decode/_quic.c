/* Keys of QUIC's Initials and what they open, in C: the twin of daemon/decode/quic_keys.py, which says what is done and why.

   Rule 1: what a packet is worth is decided by its tag, which is compared before a byte is decrypted.
   Rule 2: only whole packets are opened here; a cut one has no tag, and is the business of the twin.
   Rule 3: `read_hello` is the short way of HelloAssembler in quic.py, for connections in which nothing is unusual.

   Stable ABI (Python 3.11 and later). */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "_quic_initial.h"

static int text_of(PyObject *bytes, Bytes *text)
{
    char *at;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &at, &size))
        return -1;
    *text = (Bytes){(const uint8_t *)at, (size_t)size};
    return 0;
}

/* The salt and the four labels of a side. */
static int rules_of(PyObject *salt, PyObject *labels, Bytes *salted, Bytes found[4])
{
    PyObject *given[4];
    if (!PyArg_ParseTuple(labels, "SSSS:labels", &given[0], &given[1], &given[2], &given[3]) || text_of(salt, salted))
        return -1;
    for (int i = 0; i < 4; i++)
        if (text_of(given[i], &found[i]))
            return -1;
    if (salted->size > BLOCK) {
        PyErr_Format(PyExc_ValueError, "a salt has at most %d bytes", BLOCK);
        return -1;
    }
    return 0;
}

PyDoc_STRVAR(keys_doc,
"keys(salt, dcid, labels, portable=False)\n"
"\n"
"Keys of one side as bytes for open_packet(): key, nonce and header key (16, 12, 16 bytes), then what is made of them.\n"
"`labels` are the HkdfLabels of the side, key, iv and hp, each with the counter 1 behind it. `portable`: without the\n"
"processor's own instructions, also for what is opened with these keys.");

static PyObject *keys(PyObject *module, PyObject *arguments)
{
    Bytes salt, dcid, labels[4];
    PyObject *salted, *id, *labelled;
    Prepared made;
    int portable = 0;
    const Tables *tables = PyModule_GetState(module);
    if (!PyArg_ParseTuple(arguments, "SSO!|p:keys", &salted, &id, &PyTuple_Type, &labelled, &portable) ||
        rules_of(salted, labelled, &salt, labels) || text_of(id, &dcid))
        return NULL;
    derive(tables, tables->fast && !portable, salt, dcid, labels, &made);
    return PyBytes_FromStringAndSize((const char *)&made, sizeof made);
}

/* What `keys` made, NULL for anything else. The bytes of an object begin at a multiple of a word, behind its own fields. */
static const Prepared *prepared_of(PyObject *bytes)
{
    Bytes blob;
    if (text_of(bytes, &blob))
        return NULL;
    if (blob.size == sizeof(Prepared))
        return (const Prepared *)(const void *)blob.at;
    PyErr_SetString(PyExc_ValueError, "no keys, or no whole packet");
    return NULL;
}

PyDoc_STRVAR(open_doc,
"open_packet(keys, packet, number_pos, end)\n"
"\n"
"The plaintext of a whole Initial of at least 20 bytes behind `number_pos`; None where these are not its keys.");

static PyObject *open_packet(PyObject *module, PyObject *arguments)
{
    PyObject *made, *bytes, *plain = NULL;
    Py_ssize_t number, end;
    Bytes packet;
    if (!PyArg_ParseTuple(arguments, "SSnn:open_packet", &made, &bytes, &number, &end) || text_of(bytes, &packet))
        return NULL;
    const Prepared *prepared = prepared_of(made);
    if (!prepared)
        return NULL;
    if (number < 1 || end < 0 || (size_t)end > packet.size || !is_openable((size_t)number, (size_t)end))
        return PyErr_Format(PyExc_ValueError, "no keys, or no whole packet");
    uint8_t *out = PyMem_Malloc((size_t)end);
    if (!out)
        return PyErr_NoMemory();
    size_t body = unprotect(PyModule_GetState(module), prepared, packet.at, (size_t)number, (size_t)end, out);
    plain = body ? PyBytes_FromStringAndSize((const char *)out + body, end - TAG - (Py_ssize_t)body) : Py_NewRef(Py_None);
    PyMem_Free(out);
    return plain;
}

/* --- whole hellos --- */

/* The pieces of an earlier answer, which must stay as long as they are used; how many, -1 with an exception set. */
static int read_pieces(PyObject *tuple, Fragment *pieces)
{
    Py_ssize_t count = PyTuple_Size(tuple);
    if (count < 0 || count > MOST_PIECES) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "too many pieces");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        unsigned long long offset;
        PyObject *data;
        if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "KS:piece", &offset, &data) || text_of(data, &pieces[i].data))
            return -1;
        pieces[i].offset = offset;
    }
    return (int)count;
}

/* The bytes of pieces that touch, in one. */
static PyObject *joined(const Fragment *pieces, int count)
{
    Py_ssize_t size = (Py_ssize_t)(pieces[count - 1].offset + pieces[count - 1].data.size - pieces[0].offset);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    char *at = bytes ? PyBytes_AsString(bytes) : NULL; /* nobody else has seen it yet */
    for (int i = 0; at && i < count; i++) {
        memcpy(at, pieces[i].data.at, pieces[i].data.size);
        at += pieces[i].data.size;
    }
    return bytes;
}

static PyObject *runs_of(const Fragment *pieces, const int *runs, int count)
{
    PyObject *tuple = PyTuple_New(count);
    for (int i = 0, from = 0; tuple && i < count; from = runs[i++]) {
        PyObject *run = Py_BuildValue("KN", (unsigned long long)pieces[from].offset, joined(pieces + from, runs[i] - from));
        if (!run || PyTuple_SetItem(tuple, i, run))
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* The first message where all of it is there, else None; NULL without an error where it is no ClientHello. */
static PyObject *message_in(PyObject *runs)
{
    PyObject *first = PyTuple_Size(runs) ? PyTuple_GetItem(runs, 0) : NULL;
    unsigned long long offset;
    PyObject *data;
    Bytes prefix;
    if (!first)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    if (!PyArg_ParseTuple(first, "KS", &offset, &data) || text_of(data, &prefix))
        return NULL;
    if (offset || prefix.size < 4 || 4 + get24(prefix.at + 1) > prefix.size)
        return Py_NewRef(Py_None);
    return prefix.at[0] == 1 ? PyBytes_FromStringAndSize((const char *)prefix.at, (Py_ssize_t)(4 + get24(prefix.at + 1)))
                             : NULL;
}

typedef struct {
    PyObject *dcid, *scid, *keys, *pieces; /* owned */
} Known;

static void forget(Known *known)
{
    Py_XDECREF(known->dcid), Py_XDECREF(known->scid), Py_XDECREF(known->keys), Py_XDECREF(known->pieces);
}

/* What is known from an earlier answer, or from the first packet of this datagram; 1, 0 where the version has no rules here,
   or -1. */
static int know(const Tables *tables, PyObject *rules, PyObject *held, const Header *header, Known *known)
{
    if (held != Py_None) {
        PyObject *unused, *dcid, *scid, *pieces, *keys;
        if (!PyArg_ParseTuple(held, "OOSSO!S:held", &unused, &unused, &dcid, &scid, &PyTuple_Type, &pieces, &keys))
            return -1;
        *known = (Known){Py_NewRef(dcid), Py_NewRef(scid), Py_NewRef(keys), Py_NewRef(pieces)};
        return 1;
    }
    Bytes salt, labels[4];
    Prepared made;
    PyObject *version = PyLong_FromUnsignedLong(header->version);
    PyObject *rule = version ? PyDict_GetItemWithError(rules, version) : NULL, *salted, *labelled;
    Py_XDECREF(version);
    if (!rule)
        return PyErr_Occurred() ? -1 : 0;
    if (!PyArg_ParseTuple(rule, "SO!:rule", &salted, &PyTuple_Type, &labelled) || rules_of(salted, labelled, &salt, labels))
        return -1;
    derive(tables, tables->fast, salt, header->dcid, labels, &made);
    known->dcid = PyBytes_FromStringAndSize((const char *)header->dcid.at, (Py_ssize_t)header->dcid.size);
    known->scid = PyBytes_FromStringAndSize((const char *)header->scid.at, (Py_ssize_t)header->scid.size);
    known->keys = PyBytes_FromStringAndSize((const char *)&made, sizeof made);
    known->pieces = PyTuple_New(0);
    return known->dcid && known->scid && known->keys && known->pieces ? 1 : -1;
}

/* The answer of read_hello; NULL without an error where it is for quic.py to say. */
static PyObject *hello_in(const Tables *tables, Bytes datagram, const Header *headers, int packets, const Known *known)
{
    Fragment pieces[MOST_PIECES];
    int runs[MOST_PIECES], count = read_pieces(known->pieces, pieces);
    const Prepared *made = prepared_of(known->keys);
    uint8_t *out = made && count >= 0 ? PyMem_Malloc(datagram.size) : NULL;
    if (!out)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    count = open_all(tables, made, datagram.at, headers, packets, out, pieces, count);
    count = count < 0 ? -1 : order_pieces(pieces, count, runs);
    PyObject *left = count < 0 ? NULL : runs_of(pieces, runs, count), *message = left ? message_in(left) : NULL;
    PyMem_Free(out);
    PyObject *answer = message ? Py_BuildValue("iOOOOO", packets, message, known->dcid, known->scid, left, known->keys) : NULL;
    Py_XDECREF(left), Py_XDECREF(message);
    return answer;
}

PyDoc_STRVAR(hello_doc,
"read_hello(rules, datagram, held)\n"
"\n"
"The Initials of a client's datagram: how many, the ClientHello message where it is whole (else None), then what makes\n"
"the keys, the id beside it, the pieces of CRYPTO that are there, the keys. The answer is `held` for the next datagram,\n"
"None for the first. `rules`: version -> (salt, labels of the client). None: ask quic.py.");

static PyObject *read_hello(PyObject *module, PyObject *arguments)
{
    const Tables *tables = PyModule_GetState(module);
    PyObject *bytes, *held, *rules, *answer = NULL;
    Header headers[MOST_PACKETS];
    Known known = {NULL, NULL, NULL, NULL};
    Bytes datagram;
    if (!PyArg_ParseTuple(arguments, "O!SO:read_hello", &PyDict_Type, &rules, &bytes, &held) || text_of(bytes, &datagram))
        return NULL;
    int packets = read_headers(datagram.at, datagram.size, headers);
    if (packets > 0 && know(tables, rules, held, &headers[0], &known) > 0)
        answer = hello_in(tables, datagram, headers, packets, &known);
    forget(&known);
    if (!answer && !PyErr_Occurred())
        Py_RETURN_NONE;
    return answer;
}

static PyMethodDef METHODS[] = {
    {"keys", keys, METH_VARARGS, keys_doc},
    {"open_packet", open_packet, METH_VARARGS, open_doc},
    {"read_hello", read_hello, METH_VARARGS, hello_doc},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    make_tables(PyModule_GetState(module));
    return 0;
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.decode._quic",
    .m_doc = "Keys of QUIC's Initials; see daemon/decode/quic_keys.py.",
    .m_size = sizeof(Tables),
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__quic(void)
{
    return PyModuleDef_Init(&MODULE);
}
