/* Bytes of a message, and numbers in them. */

#ifndef HOMEPORT_HELLO_BYTES_H
#define HOMEPORT_HELLO_BYTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at; /* NULL: was not sent */
    size_t size;
} Bytes;

static inline unsigned get16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static inline size_t get24(const uint8_t *at) { return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]; }

#endif
