/* Numbers as they stand on the wire, at any alignment, on a machine of any byte order. */

#ifndef HOMEPORT_DECODE_WALK_BYTES_H
#define HOMEPORT_DECODE_WALK_BYTES_H

#include <stdint.h>

static inline unsigned be16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static inline uint32_t be32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint32_t le32(const uint8_t *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static inline uint64_t be64(const uint8_t *at) { return (uint64_t)be32(at) << 32 | be32(at + 4); }

#endif
