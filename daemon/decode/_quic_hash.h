/* SHA-256 (FIPS 180-4) and HMAC (RFC 2104) of short messages, in portable C. */

#ifndef HOMEPORT_DECODE_QUIC_HASH_H
#define HOMEPORT_DECODE_QUIC_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "_quic_fast.h"
#include "_walk_bytes.h"

enum { BLOCK = 64, DIGEST = 32 };

/* Section 4.2.2: the first bits behind the point of the cube roots of the first 64 primes. */
static const uint32_t CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static const uint32_t START[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static inline uint32_t turn(uint32_t word, int by) { return word >> by | word << (32 - by); }

/* One round; instead of moving all eight words on, the next round takes them under other names. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                                              \
    do {                                                                                                               \
        uint32_t first = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + CONSTANTS[i] + w[i];    \
        d += first;                                                                                                    \
        h = first + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));                          \
    } while (0)

/* `fast`, here and below: see _quic_fast.h. */
static void compress(int fast, uint32_t state[8], const uint8_t block[BLOCK])
{
    if (fast) {
        fast_compress(CONSTANTS, state, block);
        return;
    }
    uint32_t w[64], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6],
                    h = state[7];
    for (int i = 0; i < 16; i++)
        w[i] = be32(block + 4 * i);
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
               (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (int i = 0; i < 64; i += 8) {
        ROUND(a, b, c, d, e, f, g, h, i);
        ROUND(h, a, b, c, d, e, f, g, i + 1);
        ROUND(g, h, a, b, c, d, e, f, i + 2);
        ROUND(f, g, h, a, b, c, d, e, i + 3);
        ROUND(e, f, g, h, a, b, c, d, i + 4);
        ROUND(d, e, f, g, h, a, b, c, i + 5);
        ROUND(c, d, e, f, g, h, a, b, i + 6);
        ROUND(b, c, d, e, f, g, h, a, i + 7);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

/* The digest of `message` behind `before` bytes (whole blocks) that made `state`. */
static void finish(int fast, uint32_t state[8], size_t before, const uint8_t *message, size_t size, uint8_t digest[DIGEST])
{
    uint8_t last[2 * BLOCK] = {0};
    uint64_t bits = 8 * (uint64_t)(before + size);
    for (; size >= BLOCK; message += BLOCK, size -= BLOCK)
        compress(fast, state, message);
    memcpy(last, message, size);
    last[size] = 0x80;
    size_t blocks = size + 9 > BLOCK ? 2 : 1;
    for (int i = 0; i < 8; i++)
        last[blocks * BLOCK - 1 - i] = (uint8_t)(bits >> 8 * i);
    for (size_t i = 0; i < blocks; i++)
        compress(fast, state, last + i * BLOCK);
    for (int i = 0; i < 32; i++)
        digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

/* What a key of at most BLOCK bytes makes of the inner and the outer hash: RFC 2104 section 4 has them kept, too. */
typedef struct {
    uint32_t inner[8], outer[8];
} Pads;

static Pads pads_of(int fast, const uint8_t *key, size_t size)
{
    Pads pads;
    uint8_t inner[BLOCK], outer[BLOCK];
    memset(inner, 0x36, BLOCK);
    memset(outer, 0x5c, BLOCK);
    for (size_t i = 0; i < size; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    memcpy(pads.inner, START, sizeof START);
    memcpy(pads.outer, START, sizeof START);
    compress(fast, pads.inner, inner);
    compress(fast, pads.outer, outer);
    return pads;
}

static void hmac(int fast, Pads pads, const uint8_t *message, size_t size, uint8_t digest[DIGEST])
{
    uint8_t inner[DIGEST];
    finish(fast, pads.inner, BLOCK, message, size, inner);
    finish(fast, pads.outer, BLOCK, inner, DIGEST, digest);
}

#endif
