/* What the Initials of one datagram say: opened, and their CRYPTO frames joined with what was there before.

   Rule 1: everything is whole, plain and in one version; frames that overlap, say nothing or lie far out, packets of other
           keys and too many of anything are left to quic.py, which knows what to do with them.
   Rule 2: no Python object is touched here; what is found points into the buffers of the caller. */

#ifndef HOMEPORT_DECODE_QUIC_INITIAL_H
#define HOMEPORT_DECODE_QUIC_INITIAL_H

#include "_hello_quic.h"
#include "_quic_aes.h"
#include "_quic_hash.h"

enum { NONCE = 12, SAMPLE = 16, TAG = 16, MOST_HEADER = 65535 };
enum { CRYPTO = 0x06, MOST_PIECES = 64, MOST_CRYPTO = 65536 }; /* the bounds of quic.py */

/* The keys of one side, and what is made of them. */
typedef struct {
    uint8_t key[AES_BLOCK], nonce[NONCE], mask[AES_BLOCK];
    RoundKeys payload, header;
    HashKey hash;
} Prepared;

/* `labels` are the HkdfLabels of the side, key, iv and hp, each with the counter 1 behind it; a salt has at most BLOCK bytes. */
static void derive(const Tables *tables, int fast, Bytes salt, Bytes dcid, const Bytes labels[4], Prepared *made)
{
    uint8_t secret[DIGEST], derived[3][DIGEST];
    hmac(fast, pads_of(fast, salt.at, salt.size), dcid.at, dcid.size, secret); /* HKDF-Extract */
    hmac(fast, pads_of(fast, secret, DIGEST), labels[0].at, labels[0].size, secret);
    Pads pads = pads_of(fast, secret, DIGEST);
    for (int i = 0; i < 3; i++)
        hmac(fast, pads, labels[1 + i].at, labels[1 + i].size, derived[i]);
    memset(made, 0, sizeof *made); /* also what lies between its members */
    memcpy(made->key, derived[0], AES_BLOCK);
    memcpy(made->nonce, derived[1], NONCE);
    memcpy(made->mask, derived[2], AES_BLOCK);
    expand_key(tables, fast, made->key, &made->payload);
    expand_key(tables, fast, made->mask, &made->header);
    hash_key(tables, &made->payload, &made->hash);
}

/* Whether a packet number and its sample are there, as `unprotect` needs them. */
static int is_openable(size_t number, size_t end)
{
    return number >= 1 && number <= MOST_HEADER && end >= number && end - number >= 4 + SAMPLE;
}

/* Open the packet [0, end), whose number is at `number`: header and plaintext go to `out`, each to its own place. Where the
   plaintext begins, 0 where the tag says that these are not its keys. It ends TAG bytes before the packet. */
static size_t unprotect(const Tables *tables, const Prepared *made, const uint8_t *packet, size_t number, size_t end,
                        uint8_t *out)
{
    uint8_t mask[AES_BLOCK], nonce[NONCE];
    encrypt(tables, &made->header, packet + number + 4, mask); /* RFC 9001 section 5.4.3 */
    uint8_t first = packet[0] ^ (mask[0] & 0x0F);
    size_t width = (first & 3) + 1, body = number + width, size = end - TAG - body;
    memcpy(out, packet, body);
    out[0] = first;
    memcpy(nonce, made->nonce, NONCE);
    for (size_t i = 0; i < width; i++) {
        out[number + i] ^= mask[1 + i];
        nonce[NONCE - width + i] ^= out[number + i];
    }
    if (!tag_holds(tables, &made->payload, &made->hash, nonce, out, body, packet + body, size))
        return 0;
    decrypt(tables, &made->payload, nonce, packet + body, size, out + body);
    return body;
}

/* Put pieces in order and join what touches, as far as that needs no bytes to be moved: `runs` gets where each run of
   pieces ends. The number of runs, -1 where pieces overlap, are empty or lie beyond the bounds. */
static int order_pieces(Fragment *pieces, int count, int *runs)
{
    int found = 0;
    for (int i = 1; i < count; i++) {
        Fragment piece = pieces[i];
        int at = i;
        for (; at > 0 && pieces[at - 1].offset > piece.offset; at--)
            pieces[at] = pieces[at - 1];
        pieces[at] = piece;
    }
    for (int i = 0; i < count; i++) {
        uint64_t begin = pieces[i].offset, size = pieces[i].data.size;
        if (!size || begin > MOST_CRYPTO || size > MOST_CRYPTO - begin)
            return -1;
        if (i && pieces[i - 1].offset + pieces[i - 1].data.size > begin)
            return -1;
        if (i && pieces[i - 1].offset + pieces[i - 1].data.size == begin)
            found--;
        runs[found++] = i + 1;
    }
    return found;
}

/* The CRYPTO frames of the Initials of a datagram, behind `count` pieces that are there; the number of all, -1 where one
   cannot be opened or read here. `out` is as long as the datagram. */
static int open_all(const Tables *tables, const Prepared *made, const uint8_t *datagram, const Header *headers, int packets,
                    uint8_t *out, Fragment *pieces, int count)
{
    Fragment found[MOST_FRAMES];
    for (int i = 0; i < packets; i++) {
        size_t start = headers[i].start, number = headers[i].number - start, end = headers[i].end - start;
        if (headers[i].version != headers[0].version || !is_openable(number, end))
            return -1;
        size_t body = unprotect(tables, made, datagram + start, number, end, out + start);
        int frames = body ? read_frames(out + start + body, end - TAG - body, CRYPTO, found) : -1;
        if (frames < 0 || frames > MOST_PIECES - count)
            return -1;
        for (int frame = 0; frame < frames; frame++)
            pieces[count++] = found[frame];
    }
    return count;
}

#endif
