/* Names in DNS messages, for `_dns.c`; the rules are those of dns_names.py and text.py. */

#ifndef DNS_NAMES_H
#define DNS_NAMES_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum {
    HEADER = 12,
    NAME_LIMIT = 255,           /* octets, RFC 1035 section 2.3.4 */
    NAME_TEXT = 4 * NAME_LIMIT, /* characters, when every octet is escaped */
    HOPS = 32,                  /* pointers in a name; with 127 labels below the 255 steps of the plain reader */
    KNOWN = 64,                 /* names remembered in one message; more are read, but not remembered */
};
enum { DOUBT = -1 };

typedef struct {
    const uint8_t *buf;
    Py_ssize_t size;
    int known;                /* how many of the following are in use */
    Py_ssize_t where[KNOWN];  /* where a name starts */
    PyObject *text[KNOWN];    /* owned */
} Wire;

static unsigned be16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static uint32_t be32(const uint8_t *at) { return (uint32_t)be16(at) << 16 | be16(at + 2); }

/* One octet of a label: lower case, odd ones as \DDD (rules of text.py). */
static char *put_octet(char *to, unsigned octet) {
    if (octet >= 'A' && octet <= 'Z') {
        *to++ = (char)(octet | 0x20);
    } else if (octet > 0x20 && octet < 0x7F && octet != '.' && octet != '\\') {
        *to++ = (char)octet;
    } else {
        *to++ = '\\';
        *to++ = (char)('0' + octet / 100);
        *to++ = (char)('0' + octet / 10 % 10);
        *to++ = (char)('0' + octet % 10);
    }
    return to;
}

/* Write the name at `*pos` to `out`, which has NAME_TEXT characters; `*pos` moves behind it. Its length, or DOUBT. */
static Py_ssize_t put_name(const Wire *wire, Py_ssize_t *pos, char *out) {
    Py_ssize_t at = *pos, floor = at, end = 0;
    unsigned octets = 1;
    char *to = out;
    for (int hops = 0;;) {
        if (at < 0 || at >= wire->size)
            return DOUBT;
        unsigned length = wire->buf[at++];
        if (length == 0) {
            *pos = end ? end : at;
            return to - out;
        }
        if (length < 0x40) {
            octets += length + 1;
            if (octets > NAME_LIMIT || (Py_ssize_t)length > wire->size - at)
                return DOUBT;
            if (to != out)
                *to++ = '.';
            for (const uint8_t *last = wire->buf + at + length, *from = wire->buf + at; from < last; from++)
                to = put_octet(to, *from);
            at += length;
        } else {
            if (length < 0xC0 || at >= wire->size || ++hops > HOPS)
                return DOUBT;
            Py_ssize_t target = (length & 0x3F) << 8 | wire->buf[at];
            if (target < HEADER || target >= floor) /* RFC 1035 section 4.1.4: a prior occurrence */
                return DOUBT;
            end = end ? end : at + 1;
            floor = at = target;
        }
    }
}

/* The name at `*pos`; a new reference. The name that one pointer leads to is the same object each time. */
static PyObject *read_name(Wire *wire, Py_ssize_t *pos) {
    Py_ssize_t start = *pos;
    if (wire->size - start >= 2 && wire->buf[start] >= 0xC0) {
        Py_ssize_t target = (wire->buf[start] & 0x3F) << 8 | wire->buf[start + 1];
        for (int i = 0; target < start && i < wire->known; i++) {
            if (wire->where[i] == target) {
                *pos = start + 2;
                return Py_NewRef(wire->text[i]);
            }
        }
        start = target;
    }
    char out[NAME_TEXT];
    Py_ssize_t length = put_name(wire, pos, out);
    PyObject *text = length == DOUBT ? NULL : PyUnicode_FromStringAndSize(out, length);
    if (text && wire->known < KNOWN) {
        wire->where[wire->known] = start;
        wire->text[wire->known++] = Py_NewRef(text);
    }
    return text;
}

#endif
