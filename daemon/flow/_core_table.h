/* The open flows of a capture by key: a hash table that grows, and a list that keeps the order in which they began.

   Rule 1: the hash is keyed with 128 random bits per table (SipHash-1-3), so that nobody can aim packets at one bucket.
   Rule 2: open addressing with linear probing; a removal closes the gap behind it, so that there are no tombstones that
           a flood of short flows could leave.
   Rule 3: nothing here knows Python, but for the allocator; a flow in the table is a reference that its owner counts. */

#ifndef HOMEPORT_FLOW_CORE_TABLE_H
#define HOMEPORT_FLOW_CORE_TABLE_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "_core_tally.h"

typedef struct {
    uint64_t hash;
    Flow *flow; /* NULL: free */
} Place;

typedef struct {
    Place *places;
    size_t size, used; /* size is a power of two, or 0 */
    uint64_t seed[2];
    Flow *first, *last;
} Table;

#define ROTATE(value, by) ((value) << (by) | (value) >> (64 - (by)))

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[2] += v[3];
    v[1] = ROTATE(v[1], 13) ^ v[0], v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[1], v[0] += v[3];
    v[1] = ROTATE(v[1], 17) ^ v[2], v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] = ROTATE(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein 2012) of a key; all keys have one length, so that it needs no length word. */
static uint64_t key_hash(const Table *table, const Key *key)
{
    uint64_t v[4] = {table->seed[0] ^ 0x736f6d6570736575, table->seed[1] ^ 0x646f72616e646f6d,
                     table->seed[0] ^ 0x6c7967656e657261, table->seed[1] ^ 0x7465646279746573};
    for (int i = 0; i < KEY_WORDS; i++) {
        v[3] ^= key->words[i];
        sip_round(v);
        v[0] ^= key->words[i];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The flow of a key, NULL where there is none. */
static inline Flow *table_find(const Table *table, const Key *key, uint64_t hash)
{
    if (!table->used)
        return NULL;
    size_t mask = table->size - 1;
    for (size_t at = hash & mask; table->places[at].flow; at = (at + 1) & mask)
        if (table->places[at].hash == hash && !memcmp(&table->places[at].flow->key, key, sizeof *key))
            return table->places[at].flow;
    return NULL;
}

static void table_place(Place *places, size_t size, Flow *flow)
{
    size_t at = flow->hash & (size - 1);
    while (places[at].flow)
        at = (at + 1) & (size - 1);
    places[at].hash = flow->hash;
    places[at].flow = flow;
}

/* Room for one more at half load; -1 with MemoryError set where there is none. */
static int table_reserve(Table *table)
{
    if (2 * (table->used + 1) <= table->size)
        return 0;
    size_t size = table->size ? 2 * table->size : 1024;
    Place *places = size <= SIZE_MAX / sizeof(Place) / 2 ? PyMem_Calloc(size, sizeof(Place)) : NULL;
    if (!places) {
        PyErr_NoMemory();
        return -1;
    }
    for (Flow *flow = table->first; flow; flow = flow->after)
        table_place(places, size, flow);
    PyMem_Free(table->places);
    table->places = places;
    table->size = size;
    return 0;
}

/* Add a flow whose key is not there yet. There must be room (`table_reserve`). */
static void table_add(Table *table, Flow *flow)
{
    table_place(table->places, table->size, flow);
    table->used++;
    flow->before = table->last;
    flow->after = NULL;
    if (table->last)
        table->last->after = flow;
    else
        table->first = flow;
    table->last = flow;
}

/* Take a flow out. */
static void table_remove(Table *table, Flow *flow)
{
    size_t mask = table->size - 1, gap = flow->hash & mask;
    while (table->places[gap].flow != flow)
        gap = (gap + 1) & mask;
    for (size_t at = (gap + 1) & mask; table->places[at].flow; at = (at + 1) & mask) {
        size_t home = table->places[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) { /* its way from home leads over the gap: it may stand there */
            table->places[gap] = table->places[at];
            gap = at;
        }
    }
    table->places[gap].flow = NULL;
    table->used--;
    *(flow->before ? &flow->before->after : &table->first) = flow->after;
    *(flow->after ? &flow->after->before : &table->last) = flow->before;
}

#endif
