/* Fields of facts, and the numbers that stand for them, for `_rows.c`. Borrowed where nothing else is said. */

#ifndef HOMEPORT_STORE_ROWS_FIELDS_H
#define HOMEPORT_STORE_ROWS_FIELDS_H

#include "../flow/_packed.h"
#include "_rows_record.h"

/* The id of the end of this number; IndexError where there is no such end. */
static void put_end(Record *record, const long long *ends, Py_ssize_t count, long long number)
{
    if (number >= 0 && number < count) {
        put_number(record, ends[number]);
    } else if (!record->state) {
        PyErr_SetString(PyExc_IndexError, "an end without a number");
        record->state = FAILED;
    }
}

static void put_number_or_null(Record *record, long long number)
{
    if (number == NO_NUMBER)
        put_null(record);
    else
        put_number(record, number);
}

/* What a mapping says of a key; a new reference. */
static PyObject *found(PyObject *mapping, PyObject *key)
{
    PyObject *value = PyDict_GetItemWithError(mapping, key);
    if (value)
        return Py_NewRef(value);
    return PyErr_Occurred() ? NULL : PyObject_GetItem(mapping, key);
}

static void put_name(Record *record, PyObject *names, PyObject *name)
{
    PyObject *id = record->state ? NULL : found(names, name);
    put_int(record, id);
    Py_XDECREF(id);
}

/* base + number; -1 with an exception set. */
static long long id_of(const Cell *fact, long long base)
{
    long long number = fact[0].number;
    if (number < 0 || base < 0 || number > INT64_MAX - base) {
        PyErr_SetString(PyExc_OverflowError, "not the number of a flow");
        return -1;
    }
    return base + number;
}

enum { LATELY = 64 }; /* kinds; a power of two */

/* Kinds found lately, by identity: a kind is a tuple whose hash takes longer than all else here. */
typedef struct {
    PyObject *kind, *id; /* owned; NULL where there is none yet */
} Lately;

static void put_kind(Record *record, Lately *lately, PyObject *kinds, PyObject *kind)
{
    Lately *known = &lately[((uintptr_t)kind >> 4 ^ (uintptr_t)kind >> 10) & (LATELY - 1)];
    if (!record->state && known->kind != kind) {
        PyObject *id = found(kinds, kind);
        if (id) {
            Py_XDECREF(known->kind), Py_XDECREF(known->id);
            *known = (Lately){Py_NewRef(kind), id};
        } else {
            record->state = FAILED;
        }
    }
    put_int(record, known->id);
}

static int is_word(PyObject *text, const char *word)
{
    return PyUnicode_Check(text) && !PyUnicode_CompareWithASCIIString(text, word);
}

enum { ADDRESS = 1, ALIAS = 2, SERVICE = 4 };

/* What an answer's type is good for; 0 for anything else. */
static int use_of(PyObject *type)
{
    return is_word(type, "A") || is_word(type, "AAAA")       ? ADDRESS
           : is_word(type, "CNAME")                          ? ALIAS
           : is_word(type, "HTTPS") || is_word(type, "SVCB") ? SERVICE
                                                             : 0;
}

enum { RECORD_FIELDS = 5 };

/* A record of a message: a tuple of five; NULL with an exception set. Borrowed. */
static PyObject *record_of(PyObject *records, Py_ssize_t at)
{
    PyObject *record = PyTuple_GetItem(records, at);
    if (record && PyTuple_Check(record) && PyTuple_Size(record) == RECORD_FIELDS)
        return record;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "not a record");
    return NULL;
}

/* _target() of rows.py: the name at which the aliases of an answer end. */
static void put_target(Record *record, PyObject *names, const Cell *message)
{
    PyObject *records = message[9].object, *target = NULL;
    Py_ssize_t at = message[4].number && message[8].number ? PyTuple_Size(records) : 0;
    while (!target && at-- > 0) {
        PyObject *said = record_of(records, at);
        if (!said) {
            record->state = FAILED;
            return;
        }
        if (use_of(PyTuple_GetItem(said, 2)) == ALIAS && is_word(PyTuple_GetItem(said, 0), "answer"))
            target = PyTuple_GetItem(said, 4);
    }
    if (target)
        put_name(record, names, target);
    else
        put_null(record);
}

#endif
