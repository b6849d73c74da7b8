/* Records of SQLite's file format (https://www.sqlite.org/fileformat2.html, section 2.1): values in, bytes out.

   A record keeps its first failure: what is put into it afterwards does nothing. */

#ifndef HOMEPORT_STORE_ROWS_RECORD_H
#define HOMEPORT_STORE_ROWS_RECORD_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum {
    MOST_TYPES = 126, /* bytes: with them the size of the head, which counts itself, is one byte */
    MOST_BODY = 16000, /* bytes: of a page of 64 KiB a key may take 16,422, and then no record needs a second page */
    MOST_VARINT = 9,
    WIDEST = 8, /* bytes of a number */
};
enum { FINE = 0, UNUSUAL = 1, FAILED = -1 }; /* FAILED: with an exception set */

typedef struct {
    uint8_t types[MOST_TYPES], body[MOST_BODY + WIDEST];
    int typed, size, state;
} Record;

static void record_open(Record *record) { record->typed = record->size = record->state = 0; }

/* Section 1.6: seven bits a byte, the greatest first, and eight in a ninth. The number of bytes. */
static int put_varint(uint8_t *to, uint64_t value)
{
    uint8_t digits[MOST_VARINT];
    int count = 0;
    if (value >> 56) {
        for (int at = 8; at >= 0; at--) {
            to[at] = at == 8 ? (uint8_t)value : (uint8_t)(0x80 | (value & 0x7F));
            value >>= at == 8 ? 8 : 7;
        }
        return MOST_VARINT;
    }
    do
        digits[count++] = (uint8_t)(0x80 | (value & 0x7F));
    while (value >>= 7);
    digits[0] &= 0x7F;
    for (int at = 0; at < count; at++)
        to[at] = digits[count - 1 - at];
    return count;
}

/* The room for a value of a type, and WIDEST bytes more; NULL where the record has failed, or has none. */
static uint8_t *record_room(Record *record, uint64_t type, Py_ssize_t size)
{
    if (record->state)
        return NULL;
    if (record->typed > MOST_TYPES - MOST_VARINT || size > MOST_BODY - record->size) {
        record->state = UNUSUAL;
        return NULL;
    }
    uint8_t *room = record->body + record->size;
    if (type < 0x80)
        record->types[record->typed++] = (uint8_t)type;
    else
        record->typed += put_varint(record->types + record->typed, type);
    record->size += (int)size;
    return room;
}

static void put_null(Record *record) { record_room(record, 0, 0); }

static void put_number(Record *record, long long value)
{
    uint64_t bits = (uint64_t)value, size = value < 0 ? ~bits : bits;
    int type = bits <= 1              ? 8 + (int)bits
               : size <= 0x7F         ? 1
               : size <= 0x7FFF       ? 2
               : size <= 0x7FFFFF     ? 3
               : size <= 0x7FFFFFFF   ? 4
               : size <= 0x7FFFFFFFFFFF ? 5
                                      : 6;
    static const uint8_t widths[] = {0, 1, 2, 3, 4, 6, 8, 0, 0, 0};
    int width = widths[type];
    uint8_t *room = record_room(record, (uint64_t)type, width);
    if (!room || !width)
        return;
    bits <<= 8 * (WIDEST - width); /* all of them are written, which is one instruction; what follows overwrites the rest */
    room[0] = (uint8_t)(bits >> 56), room[1] = (uint8_t)(bits >> 48), room[2] = (uint8_t)(bits >> 40);
    room[3] = (uint8_t)(bits >> 32), room[4] = (uint8_t)(bits >> 24), room[5] = (uint8_t)(bits >> 16);
    room[6] = (uint8_t)(bits >> 8), room[7] = (uint8_t)bits;
}

static void put_text(Record *record, PyObject *text)
{
    Py_ssize_t size;
    const char *bytes = record->state ? NULL : text ? PyUnicode_AsUTF8AndSize(text, &size) : NULL; /* TypeError for no text */
    if (!bytes) {
        record->state = record->state ? record->state : FAILED;
        return;
    }
    uint8_t *room = record_room(record, size > MOST_BODY ? 0 : (uint64_t)(13 + 2 * size), size);
    if (room)
        memcpy(room, bytes, (size_t)size);
}

/* An int of Python; NULL is a failure, with an exception set. */
static inline void put_int(Record *record, PyObject *value)
{
    long long number = record->state || !value ? -1 : PyLong_AsLongLong(value); /* TypeError, OverflowError */
    if (record->state || !value || (number == -1 && PyErr_Occurred()))
        record->state = record->state ? record->state : FAILED;
    else
        put_number(record, number);
}

static inline void put_text_or_null(Record *record, PyObject *value)
{
    if (value == Py_None)
        put_null(record);
    else
        put_text(record, value);
}

static int payload_size(const Record *record) { return 1 + record->typed + record->size; }

/* Write the payload, of which there is room for `payload_size`. */
static void put_payload(const Record *record, uint8_t *to)
{
    to[0] = (uint8_t)(record->typed + 1);
    memcpy(to + 1, record->types, (size_t)record->typed);
    memcpy(to + 1 + record->typed, record->body, (size_t)record->size);
}

#endif
