/* The records that handshake messages come in: parse_records of tls.py, for streams that begin with a TLS record. */

#ifndef HOMEPORT_HELLO_RECORDS_H
#define HOMEPORT_HELLO_RECORDS_H

#include "_hello_fields.h"

enum { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23, HEARTBEAT = 24 };
enum { MOST_RECORD = 16384 + 2048, MOST_FRAGMENTS = 64 };

typedef struct {
    Bytes fragments[MOST_FRAGMENTS];
    size_t count;
    size_t consumed; /* end of the last whole record */
    int done;        /* plaintext ended there */
} Joined;

static int is_v2_hello(const uint8_t *buf) { return buf[0] & 0x80 && buf[2] == 1 && buf[3] == 3 && buf[4] <= 3; }

/* IANA "TLS HandshakeType", as in tls.py. */
static int is_message_type(unsigned type)
{
    static const uint32_t known[] = {0x03F1F93F, 0, 0x00000008, 0, 0, 0, 0x00000800, 0x40000000};
    return known[type >> 5] >> (type & 31) & 1;
}

/* An alert that ends nothing: a warning other than close_notify, in the clear. */
static int is_warning(const uint8_t *body, size_t size) { return size == 2 && body[0] == 1 && body[1] != 0; }

/* 0: the stream does not begin with a record, or has too many of them. At least five bytes are there. */
static int join_fragments(const uint8_t *stream, size_t size, size_t limit, Joined *found)
{
    size_t pos = 0, total = 0;
    found->count = 0;
    found->done = 0;
    while (size - pos >= 5 && total <= limit) {
        unsigned content = stream[pos], version = get16(stream + pos + 1);
        size_t length = get16(stream + pos + 3), there = size - pos - 5;
        int closes = content == CHANGE_CIPHER_SPEC || content == APPLICATION_DATA;
        if (content < CHANGE_CIPHER_SPEC || content > HEARTBEAT || version >> 8 != 3 || version > 0x0304
            || length > MOST_RECORD) {
            found->consumed = pos;
            found->done = 1;
            return pos > 0;
        }
        if (content == HANDSHAKE) {
            if (found->count == MOST_FRAGMENTS)
                return 0;
            found->fragments[found->count++] = (Bytes){stream + pos + 5, length < there ? length : there};
            total += length;
        }
        if (length > there && !closes)
            break;
        if (closes || (content == ALERT && !is_warning(stream + pos + 5, length))) {
            found->consumed = pos + 5 + (length < there ? length : there);
            found->done = 1;
            return 1;
        }
        pos += 5 + length;
    }
    found->consumed = pos;
    found->done = total > limit;
    return 1;
}

#endif
