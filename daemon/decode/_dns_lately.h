/* Messages read lately, for `_dns.c`: a home asks for the same names all day, and what comes is the same but for its ID.
 *
 * A message has one place, by its hash, and the last one there stays. Short ones with few records are kept, which bounds
 * the memory to about 2 KiB a place, whatever is sent. */

#ifndef DNS_LATELY_H
#define DNS_LATELY_H

#include "_dns_reader.h"
#include <string.h>

enum {
    PLACES = 4096, /* a power of two */
    LONGEST = 256, /* bytes */
    MOST_RECORDS = 4,
    ID = 2, /* bytes in front of what is compared */
};

typedef struct {
    Py_ssize_t size; /* 0 where nothing is kept */
    DnsRead read;
    uint8_t bytes[LONGEST - ID];
} Lately;

/* Of the bytes behind the ID. Whoever makes two alike only makes them be read again. */
static uint64_t hash_message(const uint8_t *bytes, Py_ssize_t size) {
    uint64_t hash = (uint64_t)size, word = 0;
    Py_ssize_t at = ID;
    for (; at + 8 <= size; at += 8) {
        memcpy(&word, bytes + at, 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, bytes + at, (size_t)(size - at));
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* Whether the message is known; it is read then. `size` is from ID to LONGEST. */
static int is_known(const Lately *place, const uint8_t *bytes, Py_ssize_t size, DnsRead *read) {
    if (place->size != size || memcmp(place->bytes, bytes + ID, (size_t)(size - ID)))
        return 0;
    *read = place->read;
    Py_INCREF(read->rcode), Py_INCREF(read->questions), Py_INCREF(read->records);
    return 1;
}

static void forget_lately(Lately *place) {
    place->size = 0;
    forget_read(&place->read);
}

/* Keep a message that may be kept. */
static void keep_lately(Lately *place, const uint8_t *bytes, Py_ssize_t size, const DnsRead *read) {
    forget_lately(place);
    memcpy(place->bytes, bytes + ID, (size_t)(size - ID));
    place->size = size;
    place->read = *read;
    Py_INCREF(read->rcode), Py_INCREF(read->questions), Py_INCREF(read->records);
}

#endif
