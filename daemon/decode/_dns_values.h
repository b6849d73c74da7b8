/* Data of DNS records as text, for `_dns.c`; the rules are those of dns_rdata.py and dns_text.py. */

#ifndef DNS_VALUES_H
#define DNS_VALUES_H

#include "_dns_lately.h"
#include "_dns_names.h"
#include <arpa/inet.h>
#include <string.h>

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33, DNAME = 39, OPT = 41,
       DS = 43, RRSIG = 46, NSEC = 47, DNSKEY = 48, NSEC3 = 50, SVCB = 64, HTTPS = 65 };
enum {
    VALUE_LIMIT = 4096, /* characters of a value made of parts, as in dns_text.py */
    VALUE_TEXT = 2 * NAME_TEXT + VALUE_LIMIT,
    TYPES = 260, /* types below have their mnemonic looked up: ANY, URI, CAA and all that are common */
    RCODES = 24,
    GENERIC_LIMIT = 256, /* bytes, as in dns_text.py */
};

/* What the functions were given to work with. */
typedef struct {
    DnsReader reader; /* first: it is what others see of this */
    PyTypeObject *message, *question, *record;
    PyObject *service;
    PyObject *sections[3];
    PyObject *types[TYPES];
    PyObject *rcodes[RCODES];
    uint64_t hashes[PLACES]; /* of the messages at the places: to look there takes longer than all else that is done */
    Lately lately[PLACES];
} Bound;

/* Text being written; there is room for what may come, see the callers. */
typedef struct {
    char text[VALUE_TEXT];
    Py_ssize_t size;
} Value;

static void put_text(Value *value, const char *text, Py_ssize_t size) {
    memcpy(value->text + value->size, text, (size_t)size);
    value->size += size;
}

static void put_char(Value *value, char c) { value->text[value->size++] = c; }

static void put_number(Value *value, uint32_t number) {
    char digits[10];
    int at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    put_text(value, digits + at, (Py_ssize_t)sizeof digits - at);
}

static PyObject *finish(const Value *value) { return PyUnicode_FromStringAndSize(value->text, value->size); }

/* A name beside other fields: the root is `.`. */
static int put_field(const Wire *wire, Py_ssize_t *pos, Value *value) {
    Py_ssize_t length = put_name(wire, pos, value->text + value->size);
    if (length == DOUBT)
        return DOUBT;
    value->size += length;
    if (!length)
        put_char(value, '.');
    return 0;
}

/* In the following, [start, end) is the data of a record and lies in the buffer. */

static PyObject *read_a(const Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    Value value;
    value.size = 0;
    if (end - start != 4)
        return NULL;
    for (int i = 0; i < 4; i++) {
        if (i)
            put_char(&value, '.');
        put_number(&value, wire->buf[start + i]);
    }
    return finish(&value);
}

/* By inet_ntop, as the plain reader does: libraries differ in how they write some addresses. */
static PyObject *read_aaaa(const Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    char out[INET6_ADDRSTRLEN];
    if (end - start != 16 || !inet_ntop(AF_INET6, wire->buf + start, out, sizeof out))
        return NULL;
    return PyUnicode_FromString(out);
}

static PyObject *read_only_name(Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    PyObject *text = read_name(wire, &start);
    if (text && start != end)
        Py_CLEAR(text);
    return text;
}

/* `count` 16-bit numbers and a name: MX (RFC 1035 section 3.3.9), SRV (RFC 2782). */
static PyObject *read_numbers_name(const Wire *wire, Py_ssize_t start, Py_ssize_t end, int count) {
    Value value;
    value.size = 0;
    if (end - start < 2 * count)
        return NULL;
    for (; count; count--, start += 2) {
        put_number(&value, be16(wire->buf + start));
        put_char(&value, ' ');
    }
    if (put_field(wire, &start, &value) == DOUBT || start != end)
        return NULL;
    return finish(&value);
}

/* RFC 1035 section 3.3.13: two names, five 32-bit numbers. */
static PyObject *read_soa(const Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    Value value;
    value.size = 0;
    Py_ssize_t numbers = end - 20;
    if (numbers < start || put_field(wire, &start, &value) == DOUBT)
        return NULL;
    put_char(&value, ' ');
    if (put_field(wire, &start, &value) == DOUBT || start != numbers)
        return NULL;
    for (; numbers < end; numbers += 4) {
        put_char(&value, ' ');
        put_number(&value, be32(wire->buf + numbers));
    }
    return finish(&value);
}

/* Strings of plain ASCII; the plain reader knows about quotes, UTF-8 and values that are too long. */
static PyObject *read_txt(const Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    Value value;
    value.size = 0;
    if (start == end)
        return PyUnicode_FromString("\"\""); /* RFC 6763 section 6.1 */
    while (start < end) {
        Py_ssize_t length = wire->buf[start++];
        if (length > end - start || value.size + length + 4 > VALUE_LIMIT)
            return NULL;
        if (value.size)
            put_char(&value, ' ');
        put_char(&value, '"');
        for (Py_ssize_t i = 0; i < length; i++) {
            uint8_t octet = wire->buf[start + i];
            if (octet < 0x20 || octet > 0x7E || octet == '"' || octet == '\\')
                return NULL;
        }
        put_text(&value, (const char *)wire->buf + start, length);
        put_char(&value, '"');
        start += length;
    }
    return finish(&value);
}

/* One block of a type bitmap (RFC 4034 section 4.1.2). */
static int put_types(const Bound *bound, Value *value, unsigned window, const uint8_t *bits, unsigned size) {
    for (unsigned i = 0; i < 8 * size; i++) {
        if (!(bits[i / 8] & 0x80 >> i % 8))
            continue;
        Py_ssize_t length;
        unsigned number = window << 8 | i;
        if (number >= TYPES || !bound->types[number])
            return DOUBT;
        const char *text = PyUnicode_AsUTF8AndSize(bound->types[number], &length);
        if (!text || value->size + length + 2 > VALUE_LIMIT)
            return DOUBT;
        put_char(value, ' ');
        put_text(value, text, length);
    }
    return 0;
}

static PyObject *read_nsec(const Bound *bound, const Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    Value value;
    value.size = 0;
    if (put_field(wire, &start, &value) == DOUBT)
        return NULL;
    for (int last = -1; start < end;) {
        if (end - start < 2)
            return NULL;
        int window = wire->buf[start], size = wire->buf[start + 1];
        start += 2;
        if (window <= last || size < 1 || size > 32 || size > end - start)
            return NULL;
        if (put_types(bound, &value, (unsigned)window, wire->buf + start, (unsigned)size) == DOUBT)
            return NULL;
        last = window;
        start += size;
    }
    return start == end ? finish(&value) : NULL;
}

/* RFC 3597 section 5, for DNSSEC, which nobody here reads. */
static PyObject *read_generic(const Wire *wire, Py_ssize_t start, Py_ssize_t end) {
    static const char digits[] = "0123456789abcdef";
    Value value;
    value.size = 0;
    Py_ssize_t size = end - start, shown = size < GENERIC_LIMIT ? size : GENERIC_LIMIT;
    put_text(&value, "\\# ", 3);
    put_number(&value, (uint32_t)size);
    if (size)
        put_char(&value, ' ');
    for (end = start + shown; start < end; start++) {
        put_char(&value, digits[wire->buf[start] >> 4]);
        put_char(&value, digits[wire->buf[start] & 15]);
    }
    if (shown < size)
        put_text(&value, "...", 3);
    return finish(&value);
}

#endif
