/* Fields of facts, and the numbers that stand for them, for `_rows.c`. Borrowed where nothing else is said. */

#ifndef HOMEPORT_STORE_ROWS_FIELDS_H
#define HOMEPORT_STORE_ROWS_FIELDS_H

#include "_rows_record.h"

/* A tuple of so many fields out of a list, a reference of the caller's own. */
static PyObject *fact_of(PyObject *list, Py_ssize_t at, Py_ssize_t fields)
{
    PyObject *fact = PyList_GetItem(list, at);
    if (!fact)
        return NULL;
    if (PyTuple_Check(fact) && PyTuple_Size(fact) == fields)
        return Py_NewRef(fact);
    PyErr_SetString(PyExc_TypeError, "not a fact of this kind");
    return NULL;
}

/* Whether the next fact of the list begins with the same numbers; FAILED with an exception set. */
static int said_again(PyObject *list, Py_ssize_t at, PyObject *fact, Py_ssize_t fields, int numbers)
{
    if (at + 1 >= PyList_Size(list))
        return 0;
    PyObject *next = fact_of(list, at + 1, fields);
    int same = next ? 1 : FAILED;
    for (int field = 0; same > 0 && field < numbers; field++)
        same = PyObject_RichCompareBool(PyTuple_GetItem(fact, field), PyTuple_GetItem(next, field), Py_EQ);
    Py_XDECREF(next);
    return same;
}

/* The id of the end whose number stands in a field. */
static void put_end(Record *record, PyObject *fact, Py_ssize_t field, PyObject *ends)
{
    Py_ssize_t number = record->state ? 0 : PyLong_AsSsize_t(PyTuple_GetItem(fact, field));
    if (record->state || (number == -1 && PyErr_Occurred()))
        record->state = record->state ? record->state : FAILED;
    else
        put_int(record, PyList_GetItem(ends, number)); /* IndexError where there is no such end: none is negative */
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
static long long id_of(PyObject *fact, long long base)
{
    long long number = PyLong_AsLongLong(PyTuple_GetItem(fact, 0));
    if (number == -1 && PyErr_Occurred())
        return -1;
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

#endif
