/* Texts of hellos, and what `_hello.c` lends to others (`_hello_reader.h`). */

#ifndef HOMEPORT_HELLO_TEXTS_H
#define HOMEPORT_HELLO_TEXTS_H

#include <Python.h>
#include <string.h>

#include "_hello_fields.h"
#include "_hello_ja4.h"
#include "_hello_names.h"
#include "_hello_reader.h"
#include "_hello_records.h"

enum { MOST_PROTOCOLS = 32 };

/* Bytes as text where each is printable ASCII from `least` on and no backslash; NULL without an error where not. */
static PyObject *plain_text(Bytes raw, unsigned least)
{
    for (size_t i = 0; i < raw.size; i++)
        if (raw.at[i] < least || raw.at[i] > 0x7E || raw.at[i] == '\\')
            return NULL;
    return PyUnicode_FromStringAndSize((const char *)raw.at, (Py_ssize_t)raw.size);
}

/* name_text of text.py for at most 255 bytes; None for no name or an empty one. */
static PyObject *name_of(Bytes raw)
{
    char lower[LONGEST_NAME];
    for (size_t i = 0; i < raw.size; i++)
        lower[i] = (char)(raw.at[i] >= 'A' && raw.at[i] <= 'Z' ? raw.at[i] + 32 : raw.at[i]);
    while (raw.size && lower[raw.size - 1] == '.')
        raw.size--;
    return raw.size ? plain_text((Bytes){(uint8_t *)lower, raw.size}, 0x21) : Py_NewRef(Py_None);
}

static PyObject *ech_of(const Extensions *sent)
{
    if (sent->ech.size && sent->ech.at[0] == 0)
        return PyUnicode_FromString("ech");
    return sent->esni.at ? PyUnicode_FromString("esni") : Py_NewRef(Py_None);
}

static int is_protocol(Bytes name, const char *word)
{
    return name.size == strlen(word) && !memcmp(name.at, word, name.size);
}

/* The protocols of a hello with commas between, None where there are none. NULL without an error where they are not usual. */
static PyObject *joined_protocols(Bytes body, int *speaks)
{
    char text[MOST_PROTOCOLS * 256];
    size_t pos = 2, size = 0;
    Bytes name;
    *speaks = 0;
    for (int count = 0; count < MOST_PROTOCOLS && next_protocol(body, &pos, &name); count++) {
        if (count)
            text[size++] = ',';
        memcpy(text + size, name.at, name.size);
        size += name.size;
        *speaks |= (is_protocol(name, "doq") ? SPEAKS_DOQ : 0) | (is_protocol(name, "dot") ? SPEAKS_DOT : 0);
    }
    return size ? plain_text((Bytes){(const uint8_t *)text, size}, 0x20) : Py_NewRef(Py_None);
}

/* HelloReader.read. */
static int read_hello(const uint8_t *message, size_t size, char transport, HelloRead *read)
{
    Client client;
    char raw[MOST_RAW];
    *read = (HelloRead){NULL, NULL, NULL, NULL, 0, 0};
    if (!read_client(message, size, transport == 'd', &client))
        return 0;
    read->version = highest_version(&client);
    size_t length = put_ja4(&client, transport, read->version, raw);
    read->name = length ? name_of(host_name(client.extensions.name)) : NULL;
    read->protocols = read->name ? joined_protocols(client.extensions.alpn, &read->speaks) : NULL;
    read->ech = read->protocols ? ech_of(&client.extensions) : NULL;
    read->ja4 = read->ech ? PyUnicode_FromStringAndSize(raw, (Py_ssize_t)length) : NULL;
    if (read->ja4)
        return 1;
    forget_hello(read);
    return PyErr_Occurred() ? -1 : 0;
}

/* HelloReader.find. */
static size_t find_hello(const uint8_t *stream, size_t size, const uint8_t **message)
{
    Joined joined;
    if (size < 9 || stream[0] != HANDSHAKE || !join_fragments(stream, size, size, &joined) || joined.count != 1)
        return 0;
    Bytes found = joined.fragments[0];
    if (found.size < 4 || found.at[0] != 1 || 4 + get24(found.at + 1) != found.size)
        return 0;
    *message = found.at;
    return found.size;
}

static const HelloReader READER = {find_hello, read_hello};

#endif
