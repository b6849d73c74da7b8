/* The raw form of JA4: what ja4.py calls so and hashes. Its rules are told there. */

#ifndef HOMEPORT_HELLO_JA4_H
#define HOMEPORT_HELLO_JA4_H

#include "_hello_fields.h"

/* Transport, version, counts and ends are 11 characters; each code point takes five at most; a few for `_`. */
enum { MOST_RAW = 16 + 5 * (MOST_CIPHERS + MOST_EXTENSIONS + MOST_SIGNATURES) };

static const char digits[] = "0123456789abcdef";

static char *put_codes(char *out, const uint16_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            *out++ = ',';
        for (int shift = 12; shift >= 0; shift -= 4)
            *out++ = digits[codes[i] >> shift & 15];
    }
    return out;
}

static char *put_count(char *out, size_t count)
{
    unsigned shown = count < 99 ? (unsigned)count : 99;
    *out++ = digits[shown / 10];
    *out++ = digits[shown % 10];
    return out;
}

/* By insertion: lists are short, and many clients send them nearly sorted. */
static void sort_codes(uint16_t *codes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint16_t code = codes[i];
        size_t at = i;
        for (; at > 0 && codes[at - 1] > code; at--)
            codes[at] = codes[at - 1];
        codes[at] = code;
    }
}

/* Code points of a list, GREASE left out; at most `most`, or -1. An odd last byte is no code point. */
static ptrdiff_t read_codes(Bytes raw, uint16_t *codes, size_t most)
{
    size_t count = 0;
    if (raw.size / 2 > most)
        return -1;
    for (size_t pos = 0; pos + 2 <= raw.size; pos += 2)
        if (!is_grease(get16(raw.at + pos)))
            codes[count++] = (uint16_t)get16(raw.at + pos);
    return (ptrdiff_t)count;
}

static const char *version_mark(int version)
{
    switch (version) {
    case 0x0304: return "13";
    case 0x0303: return "12";
    case 0x0302: return "11";
    case 0x0301: return "10";
    case 0x0300: return "s3";
    case 0x0002: return "s2";
    case 0xFEFF: return "d1";
    case 0xFEFD: return "d2";
    case 0xFEFC: return "d3";
    default: return "00";
    }
}

static int is_alphanumeric(unsigned byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* Of the first protocol; no protocol that is plain text is GREASE. */
static char *put_ends(char *out, Bytes alpn)
{
    Bytes first;
    size_t pos = 2;
    char a = '0', z = '0';
    if (next_protocol(alpn, &pos, &first) && first.size) {
        unsigned head = first.at[0], tail = first.at[first.size - 1];
        int plain = is_alphanumeric(head) && is_alphanumeric(tail);
        a = plain ? (char)head : digits[head >> 4];
        z = plain ? (char)tail : digits[tail & 15];
    }
    *out++ = a;
    *out++ = z;
    return out;
}

/* Into `raw`, which has MOST_RAW characters; the number of those written, 0 where a list is too long. */
static size_t put_ja4(const Client *client, char transport, int version, char *raw)
{
    uint16_t suites[MOST_CIPHERS], kinds[MOST_EXTENSIONS], algorithms[MOST_SIGNATURES];
    const Extensions *sent = &client->extensions;
    Bytes signatures = sent->signatures.size > 2 ? (Bytes){sent->signatures.at + 2, sent->signatures.size - 2}
                                                 : (Bytes){NULL, 0};
    ptrdiff_t suite_count = read_codes(client->ciphers, suites, MOST_CIPHERS);
    ptrdiff_t algorithm_count = read_codes(signatures, algorithms, MOST_SIGNATURES);
    size_t kind_count = 0, hashed = 0;
    const char *mark = version_mark(version);
    char *out = raw;
    if (suite_count < 0 || algorithm_count < 0)
        return 0;
    for (size_t i = 0; i < sent->count; i++) {
        unsigned code = sent->order[i];
        kind_count += !is_grease(code);
        if (!is_grease(code) && code != SERVER_NAME && code != ALPN)
            kinds[hashed++] = (uint16_t)code;
    }
    sort_codes(suites, (size_t)suite_count);
    sort_codes(kinds, hashed);
    *out++ = transport;
    *out++ = mark[0];
    *out++ = mark[1];
    *out++ = sent->name.at ? 'd' : 'i';
    out = put_count(out, (size_t)suite_count);
    out = put_count(out, kind_count);
    out = put_ends(out, sent->alpn);
    *out++ = '_';
    out = put_codes(out, suites, (size_t)suite_count);
    *out++ = '_';
    out = put_codes(out, kinds, hashed);
    if (algorithm_count) {
        *out++ = '_';
        out = put_codes(out, algorithms, (size_t)algorithm_count);
    }
    return (size_t)(out - raw);
}

#endif
