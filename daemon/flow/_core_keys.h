/* Keys between C and Python.

   A Python key is (version, protocol, tunnel, address 0, port 0, address 1, port 1), end 0 being the lesser; see FlowKey in
   daemon/flow/conversation.py. */

#ifndef HOMEPORT_FLOW_CORE_KEYS_H
#define HOMEPORT_FLOW_CORE_KEYS_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#define KEY_WORDS 6

/* Addresses of end 0 and 1 as (high, low) words, then both ports, then version, tunnel and protocol. No padding. */
typedef struct {
    uint64_t words[KEY_WORDS];
} Key;

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

static void make_key(Key *key, int version, int protocol, int tunnel, int32_t port0, int32_t port1)
{
    key->words[4] = (uint64_t)(uint32_t)port0 << 32 | (uint32_t)port1;
    key->words[5] = (uint64_t)(uint16_t)protocol << 16 | (uint64_t)tunnel << 8 | (uint64_t)version;
}

static inline int key_version(const Key *key) { return (int)(key->words[5] & 0xFF); }
static inline int key_protocol(const Key *key) { return (int)(int16_t)(key->words[5] >> 16); }
static inline int key_tunnel(const Key *key) { return (int)(key->words[5] >> 8 & 0xFF); }
static inline int key_port(const Key *key, int side) { return (int)(int32_t)(key->words[4] >> (side ? 0 : 32)); }

static PyObject *key_object(const Key *key)
{
    PyObject *first = address_object(key->words[0], key->words[1]);
    PyObject *second = address_object(key->words[2], key->words[3]);
    PyObject *tuple = NULL;
    if (first && second)
        tuple = Py_BuildValue("(iiiOiOi)", key_version(key), key_protocol(key), key_tunnel(key), first,
                              key_port(key, 0), second, key_port(key, 1));
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

#endif
