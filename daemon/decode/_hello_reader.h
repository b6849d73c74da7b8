/* What `_hello.c` lends to code in C that meets hellos (daemon/flow/_core_start.h), in a capsule of this name. */

#ifndef HOMEPORT_HELLO_READER_H
#define HOMEPORT_HELLO_READER_H

#include <Python.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_READER "daemon.decode._hello: HelloReader 1" /* another number where what follows changes */

enum { HELLO_RANDOM = 6, HELLO_RANDOM_SIZE = 32 }; /* where the random lies in a message that was read */
enum { SPEAKS_DOQ = 1, SPEAKS_DOT = 2 };

/* What a ClientHello says. The objects belong to whoever asked: texts, or None where there is nothing; the fingerprint is
   in its raw form, and never None. */
typedef struct {
    PyObject *name, *protocols, *ech, *ja4; /* protocols: with commas between */
    int version, speaks; /* -1: none; SPEAKS_... of the protocols */
} HelloRead;

typedef struct {
    /* The ClientHello that is all that a stream of TLS holds, in one record; its size, and where it begins. 0: ask tls.py. */
    size_t (*find)(const uint8_t *stream, size_t size, const uint8_t **message);
    /* Read a ClientHello: 1; 0 where tls.py has to say what it is; -1 with an exception set. */
    int (*read)(const uint8_t *message, size_t size, char transport, HelloRead *read);
} HelloReader;

static inline void forget_hello(HelloRead *read)
{
    Py_CLEAR(read->name);
    Py_CLEAR(read->protocols);
    Py_CLEAR(read->ech);
    Py_CLEAR(read->ja4);
}

#endif
