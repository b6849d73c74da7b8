/* The same as _quic_aes.h and _quic_hash.h by instructions that most processors of PCs have: AES-NI, PCLMULQDQ, SHA-NI.

   Rule: only `has_fast` decides whether they are used, once; what they give is what the portable code gives (a test
         compares them). */

#ifndef HOMEPORT_DECODE_QUIC_FAST_H
#define HOMEPORT_DECODE_QUIC_FAST_H

#include <stddef.h>
#include <stdint.h>

enum { FAST_ROUNDS = 10, FAST_BLOCK = 16 };

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

#define FAST __attribute__((target("aes,pclmul,sha,sse4.1")))

static int has_fast(void)
{
    unsigned a, b, c, d;
    const unsigned needed = bit_PCLMUL | bit_SSSE3 | bit_SSE4_1 | bit_AES;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & needed) != needed)
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29); /* SHA */
}

/* Bytes in the other order: what stands first on the wire is the highest. */
FAST static inline __m128i turned(__m128i block)
{
    return _mm_shuffle_epi8(block, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

FAST static inline __m128i fast_rounds(const uint8_t *keys, __m128i block)
{
    block = _mm_xor_si128(block, _mm_loadu_si128((const __m128i *)keys));
    for (int round = 1; round < FAST_ROUNDS; round++)
        block = _mm_aesenc_si128(block, _mm_loadu_si128((const __m128i *)(keys + FAST_BLOCK * round)));
    return _mm_aesenclast_si128(block, _mm_loadu_si128((const __m128i *)(keys + FAST_BLOCK * FAST_ROUNDS)));
}

FAST static void fast_encrypt(const uint8_t *keys, const uint8_t *in, uint8_t *out)
{
    _mm_storeu_si128((__m128i *)out, fast_rounds(keys, _mm_loadu_si128((const __m128i *)in)));
}

/* CTR from block 2, eight blocks side by side. `plain` may not lie in `data`. */
FAST static void fast_decrypt(const uint8_t *keys, const uint8_t *nonce, const uint8_t *data, size_t size, uint8_t *plain)
{
    enum { LANES = 8 };
    uint8_t counter[FAST_BLOCK] = {0}, mask[LANES * FAST_BLOCK];
    uint32_t number = 2;
    for (int i = 0; i < 12; i++)
        counter[i] = nonce[i];
    const __m128i base = _mm_loadu_si128((const __m128i *)counter);
    while (size) {
        __m128i lanes[LANES];
        for (int lane = 0; lane < LANES; lane++, number++)
            lanes[lane] = _mm_xor_si128(_mm_insert_epi32(base, (int)__builtin_bswap32(number), 3),
                                        _mm_loadu_si128((const __m128i *)keys));
        for (int round = 1; round < FAST_ROUNDS; round++) {
            __m128i key = _mm_loadu_si128((const __m128i *)(keys + FAST_BLOCK * round));
            for (int lane = 0; lane < LANES; lane++)
                lanes[lane] = _mm_aesenc_si128(lanes[lane], key);
        }
        __m128i last = _mm_loadu_si128((const __m128i *)(keys + FAST_BLOCK * FAST_ROUNDS));
        for (int lane = 0; lane < LANES; lane++)
            _mm_storeu_si128((__m128i *)(mask + FAST_BLOCK * lane), _mm_aesenclast_si128(lanes[lane], last));
        size_t part = size < sizeof mask ? size : sizeof mask;
        for (size_t i = 0; i < part; i++)
            plain[i] = data[i] ^ mask[i];
        data += part, plain += part, size -= part;
    }
}

/* The product in GHASH's field of two turned blocks: Intel's "Carry-Less Multiplication and Its Usage for Computing the GCM
   Mode", algorithms 1 and 5. */
FAST static inline __m128i fast_times(__m128i a, __m128i b)
{
    __m128i low = _mm_clmulepi64_si128(a, b, 0x00), high = _mm_clmulepi64_si128(a, b, 0x11);
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x10), _mm_clmulepi64_si128(a, b, 0x01));
    low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
    high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
    __m128i out_low = _mm_srli_epi32(low, 31), out_high = _mm_srli_epi32(high, 31); /* by one bit to the left */
    low = _mm_or_si128(_mm_slli_epi32(low, 1), _mm_slli_si128(out_low, 4));
    high = _mm_or_si128(_mm_slli_epi32(high, 1), _mm_or_si128(_mm_slli_si128(out_high, 4), _mm_srli_si128(out_low, 12)));
    __m128i folded = _mm_xor_si128(_mm_slli_epi32(low, 31), _mm_xor_si128(_mm_slli_epi32(low, 30), _mm_slli_epi32(low, 25)));
    low = _mm_xor_si128(low, _mm_slli_si128(folded, 12));
    __m128i rest = _mm_xor_si128(_mm_srli_epi32(low, 1), _mm_xor_si128(_mm_srli_epi32(low, 2), _mm_srli_epi32(low, 7)));
    return _mm_xor_si128(high, _mm_xor_si128(low, _mm_xor_si128(rest, _mm_srli_si128(folded, 4))));
}

/* GHASH of further bytes, filled up with zeros. A sum and a key are two words, the high one first. */
FAST static void fast_hash(const uint64_t key[2], uint64_t sum[2], const uint8_t *data, size_t size)
{
    const __m128i by = _mm_set_epi64x((long long)key[0], (long long)key[1]);
    __m128i x = _mm_set_epi64x((long long)sum[0], (long long)sum[1]);
    for (; size; data += FAST_BLOCK) {
        uint8_t last[FAST_BLOCK] = {0};
        size_t part = size < FAST_BLOCK ? size : FAST_BLOCK;
        for (size_t i = 0; part < FAST_BLOCK && i < part; i++)
            last[i] = data[i];
        x = _mm_xor_si128(x, turned(_mm_loadu_si128((const __m128i *)(part < FAST_BLOCK ? last : data))));
        x = fast_times(x, by);
        size -= part;
    }
    sum[0] = (uint64_t)_mm_extract_epi64(x, 1);
    sum[1] = (uint64_t)_mm_cvtsi128_si64(x);
}

/* SHA-256 of one block of 64 bytes. */
FAST static void fast_compress(const uint32_t constants[64], uint32_t state[8], const uint8_t *block)
{
    const __m128i words = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i w[4], first = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
    __m128i second = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(first, second, 8), cdgh = _mm_blend_epi16(second, first, 0xF0);
    const __m128i abef_before = abef, cdgh_before = cdgh;
    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), words);
    for (int i = 0; i < 16; i++) {
        if (i >= 4) {
            __m128i newest = w[(i + 3) & 3];
            w[i & 3] = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]), _mm_alignr_epi8(newest, w[(i + 2) & 3], 4));
            w[i & 3] = _mm_sha256msg2_epu32(w[i & 3], newest);
        }
        __m128i sum = _mm_add_epi32(w[i & 3], _mm_loadu_si128((const __m128i *)(constants + 4 * i)));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    first = _mm_shuffle_epi32(_mm_add_epi32(abef, abef_before), 0x1B);
    second = _mm_shuffle_epi32(_mm_add_epi32(cdgh, cdgh_before), 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(first, second, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(second, first, 8));
}

#else /* elsewhere the portable code does it all, and none of these is called */

static int has_fast(void) { return 0; }

static void fast_encrypt(const uint8_t *keys, const uint8_t *in, uint8_t *out) { (void)keys, (void)in, (void)out; }

static void fast_decrypt(const uint8_t *keys, const uint8_t *nonce, const uint8_t *data, size_t size, uint8_t *plain)
{
    (void)keys, (void)nonce, (void)data, (void)size, (void)plain;
}

static void fast_hash(const uint64_t key[2], uint64_t sum[2], const uint8_t *data, size_t size)
{
    (void)key, (void)sum, (void)data, (void)size;
}

static void fast_compress(const uint32_t constants[64], uint32_t state[8], const uint8_t *block)
{
    (void)constants, (void)state, (void)block;
}

#endif
#endif
