/* Headers of common frames; the rules are those of columns.py. */

#ifndef HOMEPORT_DECODE_WALK_FRAMES_H
#define HOMEPORT_DECODE_WALK_FRAMES_H

#include "_walk_bytes.h"

#include <stddef.h>

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

enum { KIND_IP = 1, KIND_FRAME = 2 };
enum { ETHERNET = 1, SLL = 113 };
enum { TCP = 6, UDP = 17 };
enum { IPV4 = 0x0800, IPV6 = 0x86DD };
enum { NO_WAY = -1, SOON = 8 /* rows; a header is asked for so long before it is read */ };

/* The columns of a chunk, in the order of the arguments behind `buf`. */
typedef struct {
    const uint8_t *buf;
    const int64_t *offset, *captured, *wire;
    const int32_t *link;
    const uint8_t *slow_protocols, *slow_ports;
    uint8_t *slow, *kind;
    int32_t *ethertype;
    uint8_t *version;
    int16_t *protocol;
    uint64_t *source_hi, *source_lo, *destination_hi, *destination_lo;
    int32_t *source_port, *destination_port;
    uint8_t *tcp_flags;
    int64_t *tcp_seq, *payload_offset, *payload_size, *missing;
} Chunk;

static int is_tag(unsigned ethertype) { return ethertype == 0x8100 || ethertype == 0x88A8 || ethertype == 0x9100; }

/* Lengths of 802.3, and what has further headers inside: a third tag, PPPoE, MPLS. */
static int is_entered(unsigned ethertype) {
    return ethertype < 0x0600 || is_tag(ethertype) || ethertype == 0x8864 || ethertype == 0x8847 || ethertype == 0x8848;
}

/* Where in the frame the network header begins, and the ethertype before it; NO_WAY: for the slow path. */
static int64_t network_layer(const uint8_t *frame, int64_t captured, int32_t link, unsigned *ethertype) {
    int64_t at;
    switch (link) {
    case ETHERNET:
        at = 14;
        break;
    case SLL:
        at = 16;
        break;
    case 12: case 14: case 101: case 228: case 229: /* raw IP, under all its numbers */
        if (captured < 1 || (frame[0] >> 4 != 4 && frame[0] >> 4 != 6))
            return NO_WAY;
        *ethertype = frame[0] >> 4 == 4 ? IPV4 : IPV6;
        return 0;
    default:
        return NO_WAY;
    }
    if (captured < at)
        return NO_WAY;
    *ethertype = be16(frame + at - 2);
    for (int tags = 0; tags < 2 && is_tag(*ethertype); tags++) {
        if (captured < at + 4)
            return NO_WAY;
        *ethertype = be16(frame + at + 2);
        at += 4;
    }
    return is_entered(*ethertype) ? NO_WAY : at;
}

/* TCP (RFC 9293), UDP (RFC 768) or another protocol behind an IP header of `header` bytes that announces `total`.
 * `room` bytes, at least the header's, were captured from it on. False: for the slow path. */
static int transport(const Chunk *chunk, ptrdiff_t row, const uint8_t *packet, int64_t header, int64_t room,
                     int64_t total, unsigned protocol) {
    const uint8_t *segment = packet + header;
    int64_t have = smaller(room, total), body = header, announced = total;
    if (protocol == TCP) {
        if (have < header + 20)
            return 0;
        body += (segment[12] >> 4) * 4;
        if (body < header + 20 || have < body)
            return 0;
        chunk->tcp_flags[row] = segment[13] & 0x3F;
        chunk->tcp_seq[row] = be32(segment + 4);
    } else if (protocol == UDP) {
        body += 8;
        if (have < body)
            return 0;
        announced = header + be16(segment + 4);
        if (announced < body || announced > total)
            return 0;
        if (chunk->slow_ports[be16(segment)] || chunk->slow_ports[be16(segment + 2)])
            return 0;
    }
    if (protocol == TCP || protocol == UDP) {
        chunk->source_port[row] = (int32_t)be16(segment);
        chunk->destination_port[row] = (int32_t)be16(segment + 2);
    }
    have = smaller(have, announced);
    chunk->kind[row] = KIND_IP;
    chunk->protocol[row] = (int16_t)protocol;
    chunk->payload_offset[row] = packet - chunk->buf + body;
    chunk->payload_size[row] = have - body;
    chunk->missing[row] = announced - have;
    return 1;
}

/* RFC 791 without options or fragments. */
static int ipv4(const Chunk *chunk, ptrdiff_t row, const uint8_t *packet, int64_t room) {
    if (room < 20 || packet[0] != 0x45 || be16(packet + 6) & 0x3FFF)
        return 0;
    unsigned total = be16(packet + 2);
    if (total < 20 || chunk->slow_protocols[packet[9]] || !transport(chunk, row, packet, 20, room, total, packet[9]))
        return 0;
    chunk->version[row] = 4;
    chunk->source_lo[row] = be32(packet + 12);
    chunk->destination_lo[row] = be32(packet + 16);
    return 1;
}

/* RFC 8200 without extension headers; a payload length of 0 (jumbogram or offload) is left to the slow path. */
static int ipv6(const Chunk *chunk, ptrdiff_t row, const uint8_t *packet, int64_t room) {
    if (room < 40 || packet[0] >> 4 != 6)
        return 0;
    unsigned size = be16(packet + 4);
    if (!size || chunk->slow_protocols[packet[6]] || !transport(chunk, row, packet, 40, room, 40 + size, packet[6]))
        return 0;
    chunk->version[row] = 6;
    chunk->source_hi[row] = be64(packet + 8);
    chunk->source_lo[row] = be64(packet + 16);
    chunk->destination_hi[row] = be64(packet + 24);
    chunk->destination_lo[row] = be64(packet + 32);
    return 1;
}

static int decode_row(const Chunk *chunk, ptrdiff_t row) {
    int64_t captured = chunk->captured[row], wire = chunk->wire[row];
    unsigned ethertype = 0;
    const uint8_t *frame = chunk->buf + chunk->offset[row];
    int64_t at = network_layer(frame, captured, chunk->link[row], &ethertype);
    if (at == NO_WAY)
        return 0;
    if (ethertype == IPV4)
        return ipv4(chunk, row, frame + at, captured - at);
    if (ethertype == IPV6)
        return ipv6(chunk, row, frame + at, captured - at);
    chunk->kind[row] = KIND_FRAME;
    chunk->ethertype[row] = (int32_t)ethertype;
    chunk->payload_offset[row] = chunk->offset[row] + at;
    chunk->payload_size[row] = captured - at;
    chunk->missing[row] = wire > captured ? wire - captured : 0;
    return 1;
}

/* Headers lie a frame apart, which is too far for the processor to guess. They may reach over two lines of its cache. */
static inline void ask(const uint8_t *buf, int64_t offset) {
#if defined(__GNUC__)
    __builtin_prefetch((const void *)((uintptr_t)buf + (uintptr_t)offset));
    __builtin_prefetch((const void *)((uintptr_t)buf + (uintptr_t)offset + 53));
#else
    (void)buf, (void)offset;
#endif
}

/* The number of rows for the slow path, or NO_WAY where a frame is not in the buffer. */
static ptrdiff_t decode_rows(const Chunk *chunk, ptrdiff_t size, ptrdiff_t rows) {
    ptrdiff_t slow = 0;
    for (ptrdiff_t row = 0; row < rows; row++) {
        int64_t offset = chunk->offset[row];
        if (row + SOON < rows)
            ask(chunk->buf, chunk->offset[row + SOON]);
        if (offset < 0 || offset > size || chunk->captured[row] > size - offset)
            return NO_WAY;
        chunk->slow[row] = (uint8_t)!decode_row(chunk, row);
        slow += chunk->slow[row];
    }
    return slow;
}

#endif
