/* Headers and frames of QUIC Initials: parse_headers and parse_frames of quic_packet.py, for versions 1 and 2.

   What is cut, broken, of another version or beyond the bounds here is left to them. */

#ifndef HOMEPORT_HELLO_QUIC_H
#define HOMEPORT_HELLO_QUIC_H

#include "_hello_bytes.h"

#define QUIC_V1 0x00000001u
#define QUIC_V2 0x6B3343CFu

enum { MOST_PACKETS = 8, MOST_FRAMES = 64 }; /* Chromium scatters a hello over about ten frames */

typedef struct {
    uint32_t version;
    Bytes dcid, scid, token;
    size_t start, number, end;
} Header;

typedef struct {
    uint64_t offset;
    Bytes data;
} Fragment;

/* RFC 9000 section 16. */
static int get_varint(const uint8_t *buf, size_t size, size_t *pos, uint64_t *value)
{
    if (*pos >= size)
        return 0;
    size_t width = (size_t)1 << (buf[*pos] >> 6);
    if (width > size - *pos)
        return 0;
    *value = buf[*pos] & 0x3F;
    for (size_t i = 1; i < width; i++)
        *value = *value << 8 | buf[*pos + i];
    *pos += width;
    return 1;
}

/* A connection id behind its length: RFC 9000 section 17.2. */
static int get_id(const uint8_t *buf, size_t size, size_t *pos, Bytes *id)
{
    if (*pos >= size || buf[*pos] > 20 || buf[*pos] > size - *pos - 1)
        return 0;
    *id = (Bytes){buf + *pos + 1, buf[*pos]};
    *pos += 1 + id->size;
    return 1;
}

/* The long header at `start`. 1: an Initial, 0: of another type, -1: not read here. */
static int read_header(const uint8_t *buf, size_t size, size_t start, Header *header)
{
    size_t pos = start + 5;
    uint64_t length;
    uint32_t version = (uint32_t)get16(buf + start + 1) << 16 | get16(buf + start + 3);
    /* RFC 9369 section 3.2 turns the types of RFC 9000 section 17.2 by one: 0 is the Initial, 3 the Retry. */
    unsigned kind = ((buf[start] >> 4) - (version == QUIC_V2)) & 3;
    *header = (Header){.version = version, .start = start};
    if ((version != QUIC_V1 && version != QUIC_V2) || kind == 3 || !get_id(buf, size, &pos, &header->dcid)
        || !get_id(buf, size, &pos, &header->scid))
        return -1;
    if (kind == 0) {
        if (!get_varint(buf, size, &pos, &length) || length > size - pos)
            return -1;
        header->token = (Bytes){buf + pos, (size_t)length};
        pos += (size_t)length;
    }
    if (!get_varint(buf, size, &pos, &length) || length > size - pos)
        return -1;
    header->number = pos;
    header->end = pos + (size_t)length;
    return kind == 0;
}

/* The Initials of a datagram (RFC 9000 section 12.2), -1: not read here. */
static int read_headers(const uint8_t *buf, size_t size, Header *found)
{
    int count = 0;
    size_t pos = 0;
    while (size - pos >= 7 && buf[pos] >= 0x80) {
        Header header;
        int kind = read_header(buf, size, pos, &header);
        if (kind < 0 || count == MOST_PACKETS)
            return -1;
        if (kind)
            found[count++] = header;
        pos = header.end;
    }
    return count;
}

/* RFC 9000 section 19.3, from its type on. */
static int skip_ack(const uint8_t *plain, size_t size, size_t *pos)
{
    uint64_t value, ranges, left = 1;
    int ecn = plain[(*pos)++] == 0x03;
    if (!get_varint(plain, size, pos, &value) || !get_varint(plain, size, pos, &value)
        || !get_varint(plain, size, pos, &ranges) || ranges > size)
        return 0;
    for (left += 2 * ranges + (ecn ? 3 : 0); left; left--)
        if (!get_varint(plain, size, pos, &value))
            return 0;
    return 1;
}

/* The CRYPTO frames of a whole Initial (RFC 9000 sections 12.4 and 19), -1: not read here. */
static int read_frames(const uint8_t *plain, size_t size, unsigned crypto, Fragment *found)
{
    int count = 0;
    size_t pos = 0;
    while (pos < size) {
        unsigned kind = plain[pos];
        if (kind == crypto) {
            uint64_t offset, length;
            pos++;
            if (!get_varint(plain, size, &pos, &offset) || !get_varint(plain, size, &pos, &length)
                || length > size - pos || count == MOST_FRAMES)
                return -1;
            found[count++] = (Fragment){offset, {plain + pos, (size_t)length}};
            pos += (size_t)length;
        } else if (kind <= 0x01) { /* PADDING, PING */
            pos++;
        } else if (kind <= 0x03) {
            if (!skip_ack(plain, size, &pos))
                return -1;
        } else if (kind == 0x1C) { /* CONNECTION_CLOSE: its reason is all that may follow */
            break;
        } else {
            return -1;
        }
    }
    return count;
}

#endif
