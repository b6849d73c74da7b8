/* What `_dns.c` lends to code in C that meets DNS messages (daemon/flow/_core_dns.h), in a capsule of this name. */

#ifndef DNS_READER_H
#define DNS_READER_H

#include <Python.h>
#include <stdint.h>

#define DNS_READER "daemon.decode._dns: DnsReader 1" /* another number where what follows changes */

/* A message without its ID. The objects belong to whoever asked. */
typedef struct {
    int response, truncated;
    PyObject *rcode, *questions, *records;
} DnsRead;

typedef struct DnsReader DnsReader;
struct DnsReader {
    /* 1; 0 where the plain reader has to say what it is; -1 with an exception set. */
    int (*read)(DnsReader *reader, const uint8_t *bytes, Py_ssize_t size, DnsRead *read);
};

static inline void forget_read(DnsRead *read)
{
    Py_CLEAR(read->rcode);
    Py_CLEAR(read->questions);
    Py_CLEAR(read->records);
}

#endif
