/* Data of SVCB and HTTPS records as text, for `_dns.c`; the rules are those of dns_svcb.py.

   What is not whole and usual (other parameters, quotes, escapes, very long data) is for the plain reader. */

#ifndef DNS_SVCB_H
#define DNS_SVCB_H

#include "_dns_values.h"

enum { ALPN = 1, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT };
enum { SERVICE_LIMIT = 1024 }; /* bytes; as text at most four times as many, a name of four times 255 and six keys */

/* In the following, the value of a parameter; 0 or DOUBT. */

static int put_alpn(Value *to, const uint8_t *at, const uint8_t *end) {
    if (at == end)
        return DOUBT;
    for (int first = 1; at < end; first = 0) {
        unsigned size = *at++;
        if (!size || size > end - at)
            return DOUBT;
        if (!first)
            put_char(to, ',');
        for (; size; size--, at++) {
            if (*at < 0x21 || *at > 0x7E || memchr("\"\\;(),", *at, 6))
                return DOUBT;
            put_char(to, (char)*at);
        }
    }
    return 0;
}

static int put_addresses(Value *to, const uint8_t *at, const uint8_t *end, int family) {
    char out[INET6_ADDRSTRLEN];
    Py_ssize_t size = family == AF_INET ? 4 : 16;
    if (at == end || (end - at) % size)
        return DOUBT;
    for (const uint8_t *from = at; from < end; from += size) {
        if (!inet_ntop(family, from, out, sizeof out))
            return DOUBT;
        if (from > at)
            put_char(to, ',');
        put_text(to, out, (Py_ssize_t)strlen(out));
    }
    return 0;
}

/* RFC 4648 section 4. */
static int put_base64(Value *to, const uint8_t *at, const uint8_t *end) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (at == end)
        return DOUBT;
    for (; at < end; at += 3) {
        Py_ssize_t left = end - at;
        uint32_t word = (uint32_t)at[0] << 16 | (left > 1 ? (uint32_t)at[1] << 8 : 0) | (left > 2 ? at[2] : 0);
        for (int i = 0; i < 4; i++, word <<= 6)
            put_char(to, i > left ? '=' : digits[word >> 18 & 63]);
        if (left < 3)
            break;
    }
    return 0;
}

static int put_parameter(Value *to, unsigned key, const uint8_t *at, const uint8_t *end) {
    static const char *const names[] = {"", "alpn=", "no-default-alpn", "port=", "ipv4hint=", "ech=", "ipv6hint="};
    if (key < ALPN || key > IPV6HINT)
        return DOUBT;
    put_char(to, ' ');
    put_text(to, names[key], (Py_ssize_t)strlen(names[key]));
    switch (key) {
    case ALPN:
        return put_alpn(to, at, end);
    case PORT:
        if (end - at != 2)
            return DOUBT;
        put_number(to, be16(at));
        return 0;
    case IPV4HINT:
        return put_addresses(to, at, end, AF_INET);
    case ECH:
        return put_base64(to, at, end);
    case IPV6HINT:
        return put_addresses(to, at, end, AF_INET6);
    default:
        return at == end ? 0 : DOUBT;
    }
}

/* RFC 9460 section 2.2: priority, an uncompressed name, parameters in the order of their keys. 0 or DOUBT. */
static int put_service(Value *to, const uint8_t *data, Py_ssize_t size) {
    Wire wire;
    Py_ssize_t pos = 2;
    if (size < 3 || size > SERVICE_LIMIT)
        return DOUBT;
    wire.buf = data; /* a pointer would lead into the data, and is refused */
    wire.size = size;
    put_number(to, be16(data));
    put_char(to, ' ');
    if (put_field(&wire, &pos, to) == DOUBT)
        return DOUBT;
    for (unsigned least = 0; pos < size;) {
        if (size - pos < 4)
            return DOUBT;
        unsigned key = be16(data + pos), length = be16(data + pos + 2);
        pos += 4;
        if (key < least || length > size - pos || put_parameter(to, key, data + pos, data + pos + length) == DOUBT)
            return DOUBT;
        least = key + 1;
        pos += length;
    }
    return to->size < VALUE_LIMIT ? 0 : DOUBT;
}

/* By `service_text` where it is not usual. What that raises, the plain reader will meet again and handle. */
static PyObject *read_service(const Bound *bound, const Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    Value value;
    value.size = 0;
    if (put_service(&value, wire->buf + start, end - start) != DOUBT)
        return finish(&value);
    PyObject *raw = PyBytes_FromStringAndSize((const char *)wire->buf + start, end - start);
    if (!raw)
        return NULL;
    PyObject *text = PyObject_CallFunctionObjArgs(bound->service, raw, NULL);
    Py_DECREF(raw);
    if (!text && PyErr_ExceptionMatches(PyExc_Exception))
        PyErr_Clear();
    if (text && !PyUnicode_Check(text))
        Py_CLEAR(text);
    return text;
}

#endif
