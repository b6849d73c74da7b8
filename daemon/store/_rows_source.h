/* Facts of one kind as `_rows.c` goes through them: packed rows (daemon/flow/_packed.h), or a list of tuples, which is read
   a tuple at a time.

   Rule 1: a list stands in the order of its numbers already; packed rows are put into it.
   Rule 2: a list may change while it is gone through: its length is looked at anew each time, and the tuple at hand is kept
           alive. Packed rows are lent, and do not change. */

#ifndef HOMEPORT_STORE_ROWS_SOURCE_H
#define HOMEPORT_STORE_ROWS_SOURCE_H

#include "../flow/_packed.h"
#include "_rows_record.h"
#include <stdlib.h>

/* Where a packed row belongs. */
typedef struct {
    long long number, place; /* the first of which tell facts apart */
    Py_ssize_t at;
} Turn;

typedef struct {
    PyObject *list; /* borrowed; NULL where the facts are packed */
    Packed *packed; /* likewise the other way round */
    const char *shape;
    int numbers; /* how many fields tell facts apart: those of flows and hellos; 0: none, as for messages */
    Turn *turns; /* of PyMem; NULL where the rows stand in order */
    PyObject *fact; /* the tuple at hand, owned */
    Cell cells[MOST_CELLS]; /* and what it says, borrowed */
} Source;

static Turn turn_of(const Source *source, Py_ssize_t at)
{
    const Cell *row = packed_row(source->packed, at);
    return (Turn){row[0].number, source->numbers > 1 ? row[1].number : 0, at};
}

static int by_turn(const void *one, const void *other)
{
    const Turn *a = one, *b = other;
    return a->number != b->number   ? (a->number < b->number ? -1 : 1)
           : a->place != b->place   ? (a->place < b->place ? -1 : 1)
                                    : (a->at > b->at) - (a->at < b->at);
}

/* Find out in which order packed rows are gone through. */
static int source_sort(Source *source)
{
    Py_ssize_t count = source->packed->count, ordered = 1;
    for (; ordered < count; ordered++) {
        Turn before = turn_of(source, ordered - 1), turn = turn_of(source, ordered);
        if (by_turn(&before, &turn) > 0)
            break;
    }
    if (!source->numbers || ordered >= count)
        return FINE;
    source->turns = PyMem_Malloc((size_t)count * sizeof *source->turns);
    if (!source->turns) {
        PyErr_NoMemory();
        return FAILED;
    }
    for (Py_ssize_t at = 0; at < count; at++)
        source->turns[at] = turn_of(source, at);
    qsort(source->turns, (size_t)count, sizeof *source->turns, by_turn);
    return FINE;
}

/* Go through facts of this shape; FINE or FAILED. `source_close` afterwards in either case. */
static int source_open(Source *source, PyObject *facts, const char *shape, int numbers)
{
    *source = (Source){.shape = shape, .numbers = numbers};
    if (PyList_Check(facts)) {
        source->list = facts;
        return FINE;
    }
    PyObject *name = PyUnicode_InternFromString("rows"); /* caches of Python keep names by identity */
    PyObject *rows = name ? PyObject_GetAttr(facts, name) : NULL;
    Packed *packed = rows ? PyCapsule_GetPointer(rows, PACKED) : NULL;
    Py_XDECREF(name), Py_XDECREF(rows);
    if (!packed || strcmp(packed->shape, shape)) {
        PyErr_SetString(PyExc_TypeError, "facts are a list, or packed");
        return FAILED;
    }
    source->packed = packed;
    packed->lent++;
    return source_sort(source);
}

static void source_close(Source *source)
{
    if (source->packed)
        source->packed->lent--;
    PyMem_Free(source->turns);
    Py_CLEAR(source->fact);
}

static Py_ssize_t source_count(const Source *source)
{
    return source->list ? PyList_Size(source->list) : source->packed->count;
}

/* The cells of a fact, which hold until the next is asked for; NULL with an exception set. */
static const Cell *source_at(Source *source, Py_ssize_t at)
{
    if (source->packed)
        return packed_row(source->packed, source->turns ? source->turns[at].at : at);
    PyObject *before = source->fact;
    source->fact = Py_XNewRef(PyList_GetItem(source->list, at));
    Py_XDECREF(before);
    return read_cells(source->shape, source->fact, source->cells, (int)strlen(source->shape)) ? NULL : source->cells;
}

/* Whether the next fact begins with the same numbers as this one; FAILED with an exception set. */
static int said_again(const Source *source, Py_ssize_t at, const Cell *fact)
{
    Cell cells[MOST_CELLS];
    const Cell *next = cells;
    if (at + 1 >= source_count(source))
        return 0;
    if (source->packed)
        next = packed_row(source->packed, source->turns ? source->turns[at + 1].at : at + 1);
    else if (read_cells(source->shape, PyList_GetItem(source->list, at + 1), cells, source->numbers))
        return FAILED;
    for (int i = 0; i < source->numbers; i++)
        if (fact[i].number != next[i].number)
            return 0;
    return 1;
}

#endif
