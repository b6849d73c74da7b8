/* What a hello of TLS says, found in its bytes: no Python object is touched here.

   Rule 1: every reader checks against the end it is given before it reads, and answers 0 for anything that is not whole,
           plain and of usual size. What that means is for tls.py, tls_extensions.py and ja4.py to say.
   Rule 2: a Bytes points into the message and lives no longer than it. */

#ifndef HOMEPORT_HELLO_FIELDS_H
#define HOMEPORT_HELLO_FIELDS_H

#include "_hello_bytes.h"

enum { MOST_CIPHERS = 256, MOST_EXTENSIONS = 128, MOST_SIGNATURES = 128 }; /* real clients: about 190, 25 and 30 */

enum { SERVER_NAME = 0, SIGNATURE_ALGORITHMS = 13, ALPN = 16, SUPPORTED_VERSIONS = 43 };
enum { ENCRYPTED_CLIENT_HELLO = 0xFE0D, ENCRYPTED_SERVER_NAME = 0xFFCE };

typedef struct {
    Bytes name, signatures, alpn, versions, ech, esni; /* the first of each type */
    uint16_t order[MOST_EXTENSIONS];                   /* types as sent */
    size_t count;
} Extensions;

typedef struct {
    const uint8_t *message;
    Bytes ciphers;
    Extensions extensions;
} Client;

typedef struct {
    const uint8_t *message;
    unsigned cipher;
    Extensions extensions;
} Server;

/* RFC 8701 section 2: 0x0a0a, 0x1a1a to 0xfafa. */
static inline int is_grease(unsigned code) { return (code & 0x0F0F) == 0x0A0A && code >> 8 == (code & 0xFF); }

static Bytes *place_of(Extensions *found, unsigned code)
{
    switch (code) {
    case SERVER_NAME: return &found->name;
    case SIGNATURE_ALGORITHMS: return &found->signatures;
    case ALPN: return &found->alpn;
    case SUPPORTED_VERSIONS: return &found->versions;
    case ENCRYPTED_CLIENT_HELLO: return &found->ech;
    case ENCRYPTED_SERVER_NAME: return &found->esni;
    default: return NULL;
    }
}

/* The block from `at` to `end`, which may be absent (RFC 5246 section 7.4.1.2). */
static int read_extensions(const uint8_t *at, const uint8_t *end, Extensions *found)
{
    *found = (Extensions){.count = 0};
    if (at == end)
        return 1;
    if (end - at < 2 || get16(at) > (size_t)(end - at - 2))
        return 0;
    end = at + 2 + get16(at);
    at += 2;
    while (at < end) {
        if (end - at < 4 || get16(at + 2) > (size_t)(end - at - 4) || found->count == MOST_EXTENSIONS)
            return 0;
        unsigned code = get16(at);
        size_t size = get16(at + 2);
        Bytes *place = place_of(found, code);
        at += 4;
        if (place && !place->at) /* RFC 8446 section 4.2 forbids a second */
            *place = (Bytes){at, size};
        found->order[found->count++] = (uint16_t)code;
        at += size;
    }
    return 1;
}

/* Type, size, version, random and session id; behind them, or NULL. `end` becomes that of the message. */
static const uint8_t *read_start(const uint8_t *message, size_t size, int type, const uint8_t **end)
{
    if (size < 39 || message[0] != type || 4 + get24(message + 1) > size || message[38] > 32)
        return NULL;
    *end = message + 4 + get24(message + 1);
    return *end - message >= 39 + message[38] ? message + 39 + message[38] : NULL;
}

/* RFC 8446 section 4.1.2; with a cookie where it is DTLS's (RFC 6347 section 4.2.1). */
static int read_client(const uint8_t *message, size_t size, int datagram, Client *client)
{
    const uint8_t *end, *at = read_start(message, size, 1, &end);
    if (at && datagram)
        at = end > at && end - at > at[0] ? at + 1 + at[0] : NULL;
    if (!at || end - at < 2 || end - at < 3 + (ptrdiff_t)get16(at))
        return 0;
    client->message = message;
    client->ciphers = (Bytes){at + 2, get16(at)};
    at += 2 + get16(at); /* the compression methods follow */
    if (end - at < 1 + at[0])
        return 0;
    return read_extensions(at + 1 + at[0], end, &client->extensions);
}

/* RFC 8446 section 4.1.3. */
static int read_server(const uint8_t *message, size_t size, Server *server)
{
    const uint8_t *end, *at = read_start(message, size, 2, &end);
    if (!at || end - at < 3)
        return 0;
    server->message = message;
    server->cipher = get16(at);
    return read_extensions(at + 3, end, &server->extensions);
}

/* RFC 6066 section 3; nothing where there is no host name. One that is longer than 255 bytes is cut there. */
static Bytes host_name(Bytes body)
{
    size_t pos = 2;
    while (body.at && pos + 3 <= body.size) {
        size_t size = get16(body.at + pos + 1);
        if (size > body.size - pos - 3)
            break;
        if (body.at[pos] == 0)
            return (Bytes){body.at + pos + 3, size < 255 ? size : 255};
        pos += 3 + size;
    }
    return (Bytes){NULL, 0};
}

/* RFC 7301 section 3.1: the next protocol name of a body, and `pos` behind it. `pos` starts at 2, behind the length. */
static int next_protocol(Bytes body, size_t *pos, Bytes *protocol)
{
    if (!body.at || *pos >= body.size || body.at[*pos] > body.size - *pos - 1)
        return 0;
    *protocol = (Bytes){body.at + *pos + 1, body.at[*pos]};
    *pos += 1 + protocol->size;
    return 1;
}

/* RFC 8446 section 4.2.1: the newest version offered, -1 for none. Of DTLS the least number is the newest. */
static int highest_version(const Client *client)
{
    Bytes body = client->extensions.versions;
    int highest = -1, datagram = -1;
    if (!body.at)
        return (int)get16(client->message + 4);
    for (size_t pos = 1; pos + 2 <= body.size; pos += 2) {
        int code = (int)get16(body.at + pos);
        if (code == 0x0304)
            return code;
        if (is_grease((unsigned)code))
            continue;
        if (code > highest)
            highest = code;
        if (code >> 8 == 0xFE && (datagram < 0 || code < datagram))
            datagram = code;
    }
    return datagram >= 0 ? datagram : highest;
}

#endif
