/* Marks of MACs and addresses, as `sketch.py` has them. */

#ifndef HOMEPORT_DECODE_WALK_MARKS_H
#define HOMEPORT_DECODE_WALK_MARKS_H

#include "_walk_bytes.h"

#include <stdint.h>
#include <string.h>

enum { MARKS = 65536, BITMAP = MARKS / 8 }; /* possible marks; bytes of a sketch of many */
enum { LINK_ETHERNET = 1, KIND_UNDECODED = 0, MAC_BYTES = 6, AHEAD = 12 /* rows; their headers have left the caches by now */ };

typedef struct {
    const uint8_t *buf;
    const int64_t *offset;
    const int32_t *link;
    const uint8_t *kind;
    const uint64_t *source_hi, *source_lo, *destination_hi, *destination_lo;
    uint8_t *held; /* MARKS of them */
} Seen;

static inline unsigned address_mark(uint64_t high, uint64_t low) {
    return (unsigned)(((low + high * 0xC2B2AE3D27D4EB4FULL) * 0x9E3779B97F4A7C15ULL) >> 48);
}

/* Of a MAC read from its last byte to its first. */
static inline unsigned mac_mark(uint64_t number) {
    return (unsigned)((number * 0xC2B2AE3D27D4EB4FULL) >> 48);
}

/* 0, or -1 where a frame lies outside the buffer; then some rows are marked already. */
static int mark_rows(const Seen *seen, Py_ssize_t size, Py_ssize_t count) {
    for (Py_ssize_t row = 0; row < count; row++) {
        if (row + AHEAD < count)
            __builtin_prefetch((const void *)((uintptr_t)seen->buf + (uintptr_t)seen->offset[row + AHEAD]));
        seen->held[address_mark(seen->source_hi[row], seen->source_lo[row])] = 1;
        seen->held[address_mark(seen->destination_hi[row], seen->destination_lo[row])] = 1;
        if (seen->link[row] != LINK_ETHERNET || seen->kind[row] == KIND_UNDECODED)
            continue;
        int64_t at = seen->offset[row];
        if (at < 0 || at > size - 2 * MAC_BYTES)
            return -1;
        const uint8_t *macs = seen->buf + at;
        uint64_t middle = le32(macs + 4); /* the end of one and the beginning of the other */
        seen->held[mac_mark(le32(macs) | (middle & 0xFFFF) << 32)] = 1;
        seen->held[mac_mark(middle >> 16 | (uint64_t)le32(macs + 8) << 16)] = 1;
    }
    return 0;
}

/* The sketch of the marks that are set, as `_packed` of sketch.py writes it; its size. */
static Py_ssize_t pack_marks(const uint8_t *held, uint8_t sketch[BITMAP]) {
    Py_ssize_t size = 0;
    for (int at = 0; at < MARKS && size < BITMAP; at += 8) {
        uint64_t eight;
        memcpy(&eight, held + at, sizeof eight);
        for (int i = at; eight && i < at + 8 && size < BITMAP; i++) {
            if (!held[i])
                continue;
            sketch[size++] = (uint8_t)i;
            sketch[size++] = (uint8_t)(i >> 8);
        }
    }
    if (size < BITMAP)
        return size;
    memset(sketch, 0, BITMAP);
    for (int i = 0; i < MARKS; i++)
        sketch[i / 8] |= (uint8_t)((held[i] != 0) << i % 8);
    return BITMAP;
}

#endif
