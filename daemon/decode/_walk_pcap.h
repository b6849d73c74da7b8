/* Records of a pcap file; the rules are those of pcap.py. */

#ifndef HOMEPORT_DECODE_WALK_PCAP_H
#define HOMEPORT_DECODE_WALK_PCAP_H

#include "_walk_bytes.h"

#include <stddef.h>

enum { CAPTURED_FIRST, ORIGINAL_FIRST, SMALLER_IS_CAPTURED };
enum { NO_PROBLEM, IMPOSSIBLE, ZEROS };

typedef struct {
    int big_endian;
    int lengths;        /* which of the two lengths is the captured one */
    int64_t divisor;    /* fractions of a second in a microsecond */
    int64_t size;       /* bytes of a record header */
    int64_t bound;      /* the largest captured length that is believed */
    int64_t most_wire;  /* likewise of the original length */
} Format;

typedef struct {
    int64_t seconds, fraction, captured, wire;
} Header;

static inline uint32_t word(const uint8_t *at, int big_endian) { return big_endian ? be32(at) : le32(at); }

static inline Header read_header(const uint8_t *at, const Format *format, int big_endian) {
    int64_t first = word(at + 8, big_endian), second = word(at + 12, big_endian);
    int swapped = format->lengths == ORIGINAL_FIRST || (format->lengths == SMALLER_IS_CAPTURED && second < first);
    Header header = {word(at, big_endian), word(at + 4, big_endian), swapped ? second : first, swapped ? first : second};
    return header;
}

static inline int problem_of(const Header *header, const Format *format) {
    int nothing = !(header->seconds | header->fraction | header->captured | header->wire);
    if (header->captured <= format->bound && header->wire <= format->most_wire && !nothing)
        return NO_PROBLEM;
    return header->captured ? IMPOSSIBLE : ZEROS;
}

/* Where the next record is, only this one says: a walk that waits for memory at each step, unless it guesses. Bulk data
 * comes in runs of like frames; asking early for where such a run would go on takes a third off the walk's time. */
static inline void ask_ahead(const uint8_t *buf, int64_t at, int64_t end, int64_t step) {
#if defined(__GNUC__)
    for (int steps = 2; steps <= 8; steps *= 2)
        if (steps * step < end - at)
            __builtin_prefetch(buf + at + steps * step);
#else
    (void)buf, (void)at, (void)end, (void)step;
#endif
}

/* Walks until a record is wrong or not whole, or the columns are full; moves `pos` there and says what is wrong. */
static inline int walk_in_order(const uint8_t *buf, int64_t *pos, int64_t end, const Format *format,
                                int64_t *const columns[4], ptrdiff_t most, ptrdiff_t *count, int big_endian) {
    int64_t at = *pos, divisor = format->divisor;
    int problem = NO_PROBLEM;
    ptrdiff_t row = 0;
    while (row < most && end - at >= format->size) {
        Header header = read_header(buf + at, format, big_endian);
        problem = problem_of(&header, format);
        if (problem || header.captured > end - at - format->size)
            break;
        ask_ahead(buf, at, end, format->size + header.captured);
        columns[0][row] = at + format->size;
        columns[1][row] = header.captured;
        columns[2][row] = header.wire;
        columns[3][row] = header.seconds * 1000000 + (divisor == 1 ? header.fraction : header.fraction / divisor);
        row++;
        at += format->size + header.captured;
    }
    *pos = at;
    *count = row;
    return problem;
}

/* The same, with one loop for each byte order. */
static int walk_records(const uint8_t *buf, int64_t *pos, int64_t end, const Format *format, int64_t *const columns[4],
                        ptrdiff_t most, ptrdiff_t *count) {
    return format->big_endian ? walk_in_order(buf, pos, end, format, columns, most, count, 1)
                              : walk_in_order(buf, pos, end, format, columns, most, count, 0);
}

#endif
