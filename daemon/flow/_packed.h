/* Facts as rows of cells: what the core packs (`_core_packed.h`), and what makes a database of them reads
   (daemon/store/_rows.c). A row takes a third of the memory of its NamedTuple, and lies beside the next.

   Rule 1: a shape says what the fields of a fact are, a letter each: `i` a number, `n` a number or None, `b` true or false,
           `o` anything else. Numbers are of 64 bits; the least of them is None.
   Rule 2: an object in a row belongs to the row. */

#ifndef HOMEPORT_FLOW_PACKED_H
#define HOMEPORT_FLOW_PACKED_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#define PACKED "daemon.flow._core: Packed 1" /* another number where what follows changes */

/* Shapes of FlowFact, HelloFact and DnsFact, as daemon/flow/core.py has them. */
#define FLOW_SHAPE "ioiinnoooiiiiiiiii"
#define HELLO_SHAPE "iiiininooooooooooo"
#define DNS_SHAPE "iiioboooio"

enum { MOST_CELLS = 32 };
#define NO_NUMBER INT64_MIN

typedef union {
    long long number;
    PyObject *object;
} Cell;

typedef struct {
    PyObject_HEAD
    PyTypeObject *fact; /* a subclass of tuple; owned */
    char shape[MOST_CELLS + 1];
    int width, lent; /* lent: somebody reads the rows, so that none may come */
    Py_ssize_t count, room;
    Cell *cells; /* of PyMem */
} Packed;

static inline Cell *packed_row(const Packed *packed, Py_ssize_t at)
{
    return packed->cells + at * packed->width;
}

/* A field of a fact as a cell; an object is borrowed. 0, or -1 with an exception set. */
static inline int read_cell(char letter, PyObject *value, Cell *cell)
{
    if (letter == 'o') {
        cell->object = value;
        return 0;
    }
    if (letter == 'n' && value == Py_None) {
        cell->number = NO_NUMBER;
        return 0;
    }
    cell->number = letter == 'b' ? PyObject_IsTrue(value) : PyLong_AsLongLong(value); /* TypeError, OverflowError */
    if (cell->number == -1 && PyErr_Occurred())
        return -1;
    if (cell->number == NO_NUMBER) {
        PyErr_SetString(PyExc_OverflowError, "a number too small for a fact");
        return -1;
    }
    return 0;
}

/* The first fields of a tuple that is a fact of this shape; -1 with an exception set. */
static inline int read_cells(const char *shape, PyObject *fact, Cell *cells, int count)
{
    if (!fact || !PyTuple_Check(fact) || PyTuple_Size(fact) != (Py_ssize_t)strlen(shape)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "not a fact of this kind");
        return -1;
    }
    for (int i = 0; i < count; i++)
        if (read_cell(shape[i], PyTuple_GetItem(fact, i), &cells[i]))
            return -1;
    return 0;
}

#endif
