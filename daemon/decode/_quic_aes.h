/* AES-128 (FIPS 197) and GCM (SP 800-38D), in portable C.

   Rule: the keys are public, anybody derives them from the packet itself. So tables may be indexed by them, whatever that
         tells of time and caches. This file is for nothing else. */

#ifndef HOMEPORT_DECODE_QUIC_AES_H
#define HOMEPORT_DECODE_QUIC_AES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "_quic_fast.h"
#include "_walk_bytes.h"

enum { ROUNDS = 10, WORDS = 4 * (ROUNDS + 1), AES_BLOCK = 16 };

/* Made once, when the module is loaded. */
typedef struct {
    uint8_t box[256];       /* SubBytes */
    uint32_t mixed[4][256]; /* SubBytes and a column of MixColumns, for each place in the column */
    uint64_t folded[256];   /* GHASH: what a byte that leaves at the low end puts into the high word */
    int fast;               /* whether the processor has instructions for all this (_quic_fast.h) */
} Tables;

typedef struct {
    uint32_t words[WORDS];
    uint8_t bytes[4 * WORDS]; /* the same as they follow each other; empty but where `fast` */
    int fast;
} RoundKeys;

typedef struct {
    uint64_t high[256], low[256]; /* the hash key times each byte; where it is fast only that itself, at 128 */
} HashKey;

static inline uint8_t twice(uint8_t byte) { return (uint8_t)(byte << 1 ^ (byte & 0x80 ? 0x1b : 0)); }

static void make_tables(Tables *tables)
{
    uint8_t power[256], log[256] = {0};
    uint8_t value = 1;
    for (int i = 0; i < 255; i++) { /* powers of 3, which runs through all of the field but 0 */
        power[i] = value;
        log[value] = (uint8_t)i;
        value = (uint8_t)(value ^ twice(value));
    }
    for (int i = 0; i < 256; i++) {
        uint8_t inverse = i ? power[(255 - log[i]) % 255] : 0, byte = 0x63;
        for (int by = 0; by < 5; by++)
            byte ^= (uint8_t)(inverse << by | inverse >> (8 - by));
        tables->box[i] = byte;
        uint32_t column = (uint32_t)twice(byte) << 24 | (uint32_t)byte << 16 | (uint32_t)byte << 8 | (uint8_t)(twice(byte) ^ byte);
        for (int place = 0; place < 4; place++)
            tables->mixed[place][i] = place ? column >> 8 * place | column << (32 - 8 * place) : column;
    }
    tables->fast = has_fast();
    for (unsigned i = 0; i < 256; i++) {
        uint64_t high = 0;
        for (int bit = 0; bit < 8; bit++)
            high = high >> 1 ^ (i >> bit & 1 ? (uint64_t)0xe1 << 56 : 0);
        tables->folded[i] = high;
    }
}

static inline uint32_t substitute(const Tables *t, uint32_t word)
{
    return (uint32_t)t->box[word >> 24] << 24 | (uint32_t)t->box[word >> 16 & 255] << 16 |
           (uint32_t)t->box[word >> 8 & 255] << 8 | t->box[word & 255];
}

static void store32(uint8_t *at, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(word >> (24 - 8 * i));
}

static void expand_key(const Tables *tables, int fast, const uint8_t key[AES_BLOCK], RoundKeys *out)
{
    uint32_t *w = out->words;
    uint8_t constant = 1;
    for (int i = 0; i < 4; i++)
        w[i] = be32(key + 4 * i);
    for (int i = 4; i < WORDS; i++) {
        uint32_t word = w[i - 1];
        if (i % 4 == 0) {
            word = substitute(tables, word << 8 | word >> 24) ^ (uint32_t)constant << 24;
            constant = twice(constant);
        }
        w[i] = w[i - 4] ^ word;
    }
    out->fast = fast;
    for (int i = 0; fast && i < WORDS; i++)
        store32(out->bytes + 4 * i, w[i]);
}

/* A column of the state after SubBytes, ShiftRows and MixColumns; `a` to `d` are the columns that its bytes come from. */
static inline uint32_t mix(const Tables *t, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    return t->mixed[0][a >> 24] ^ t->mixed[1][b >> 16 & 255] ^ t->mixed[2][c >> 8 & 255] ^ t->mixed[3][d & 255];
}

static inline uint32_t shift(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    return (a & 0xff000000) | (b & 0xff0000) | (c & 0xff00) | (d & 0xff);
}

static void encrypt(const Tables *t, const RoundKeys *keys, const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK])
{
    if (keys->fast) {
        fast_encrypt(keys->bytes, in, out);
        return;
    }
    const uint32_t *w = keys->words;
    uint32_t a = be32(in) ^ w[0], b = be32(in + 4) ^ w[1], c = be32(in + 8) ^ w[2], d = be32(in + 12) ^ w[3];
    for (w += 4; w < keys->words + 4 * ROUNDS; w += 4) {
        uint32_t e = mix(t, a, b, c, d) ^ w[0], f = mix(t, b, c, d, a) ^ w[1], g = mix(t, c, d, a, b) ^ w[2];
        d = mix(t, d, a, b, c) ^ w[3];
        a = e, b = f, c = g;
    }
    store32(out, substitute(t, shift(a, b, c, d)) ^ w[0]);
    store32(out + 4, substitute(t, shift(b, c, d, a)) ^ w[1]);
    store32(out + 8, substitute(t, shift(c, d, a, b)) ^ w[2]);
    store32(out + 12, substitute(t, shift(d, a, b, c)) ^ w[3]);
}

/* Section 6.3 with a table by bytes: bit 0 of a block is the highest of its high word. */
static void hash_key(const Tables *tables, const RoundKeys *keys, HashKey *out)
{
    uint8_t zeros[AES_BLOCK] = {0}, block[AES_BLOCK];
    encrypt(tables, keys, zeros, block);
    uint64_t high = be64(block), low = be64(block + 8);
    out->high[0] = out->low[0] = 0;
    out->high[128] = high;
    out->low[128] = low;
    if (keys->fast)
        return;
    for (int i = 128; i; i >>= 1) {
        out->high[i] = high;
        out->low[i] = low;
        uint64_t carry = low & 1;
        low = low >> 1 | high << 63;
        high = high >> 1 ^ (carry ? (uint64_t)0xe1 << 56 : 0);
    }
    for (int i = 2; i < 256; i <<= 1)
        for (int j = 1; j < i; j++) {
            out->high[i + j] = out->high[i] ^ out->high[j];
            out->low[i + j] = out->low[i] ^ out->low[j];
        }
}

typedef struct {
    uint64_t high, low;
} Sum;

static inline Sum times(const Tables *tables, const HashKey *key, Sum x)
{
    Sum z = {0, 0};
    for (int half = 1; half >= 0; half--) {
        uint64_t word = half ? x.low : x.high;
        for (int i = 0; i < 8; i++, word >>= 8) {
            uint64_t leaving = z.low & 255;
            z.low = (z.low >> 8 | z.high << 56) ^ key->low[word & 255];
            z.high = z.high >> 8 ^ tables->folded[leaving] ^ key->high[word & 255];
        }
    }
    return z;
}

/* GHASH of further bytes, filled up with zeros. */
static Sum hash_bytes(const Tables *tables, int fast, const HashKey *key, Sum sum, const uint8_t *data, size_t size)
{
    if (fast) {
        uint64_t by[2] = {key->high[128], key->low[128]}, words[2] = {sum.high, sum.low};
        fast_hash(by, words, data, size);
        return (Sum){words[0], words[1]};
    }
    uint8_t last[AES_BLOCK] = {0};
    for (; size >= AES_BLOCK; data += AES_BLOCK, size -= AES_BLOCK) {
        sum.high ^= be64(data);
        sum.low ^= be64(data + 8);
        sum = times(tables, key, sum);
    }
    if (!size)
        return sum;
    memcpy(last, data, size);
    return hash_bytes(tables, 0, key, sum, last, AES_BLOCK);
}

/* Whether the tag behind `size` bytes of ciphertext is the one of this nonce (12 bytes) and these open bytes. */
static int tag_holds(const Tables *tables, const RoundKeys *keys, const HashKey *key, const uint8_t nonce[12],
                     const uint8_t *open, size_t open_size, const uint8_t *data, size_t size)
{
    uint8_t counter[AES_BLOCK] = {0}, mask[AES_BLOCK];
    memcpy(counter, nonce, 12);
    counter[15] = 1;
    encrypt(tables, keys, counter, mask);
    Sum sum = hash_bytes(tables, keys->fast, key, (Sum){0, 0}, open, open_size);
    sum = hash_bytes(tables, keys->fast, key, sum, data, size);
    uint8_t sizes[AES_BLOCK];
    for (int i = 0; i < 8; i++) {
        sizes[i] = (uint8_t)(8 * (uint64_t)open_size >> (56 - 8 * i));
        sizes[8 + i] = (uint8_t)(8 * (uint64_t)size >> (56 - 8 * i));
    }
    sum = hash_bytes(tables, keys->fast, key, sum, sizes, sizeof sizes);
    return (sum.high ^ be64(mask)) == be64(data + size) && (sum.low ^ be64(mask + 8)) == be64(data + size + 8);
}

/* Section 7.1: by CTR from block 2. */
static void decrypt(const Tables *tables, const RoundKeys *keys, const uint8_t nonce[12], const uint8_t *data, size_t size,
                    uint8_t *plain)
{
    if (keys->fast) {
        fast_decrypt(keys->bytes, nonce, data, size, plain);
        return;
    }
    uint8_t counter[AES_BLOCK], mask[AES_BLOCK];
    memcpy(counter, nonce, 12);
    for (uint32_t number = 2; size; number++) {
        size_t part = size < AES_BLOCK ? size : AES_BLOCK;
        store32(counter + 12, number);
        encrypt(tables, keys, counter, mask);
        for (size_t i = 0; i < part; i++)
            plain[i] = data[i] ^ mask[i];
        data += part, plain += part, size -= part;
    }
}

#endif
