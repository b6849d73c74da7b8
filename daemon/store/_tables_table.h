/* A table: whole numbers of 64 bits as the machine has them, row by row, in a bytes object. */

#ifndef HOMEPORT_STORE_TABLES_TABLE_H
#define HOMEPORT_STORE_TABLES_TABLE_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { MOST_WIDTH = 64 };

typedef struct {
    const int64_t *cells;
    Py_ssize_t rows;
    int width;
} Table;

static int width_of(Py_ssize_t width)
{
    if (width < 1 || width > MOST_WIDTH)
        PyErr_SetString(PyExc_ValueError, "a table has 1 to 64 columns");
    return width < 1 || width > MOST_WIDTH ? -1 : 0;
}

static int table_of(Table *table, PyObject *bytes, Py_ssize_t width)
{
    char *data;
    Py_ssize_t size;
    if (width_of(width) || PyBytes_AsStringAndSize(bytes, &data, &size))
        return -1;
    if (size % (width * (Py_ssize_t)sizeof(int64_t))) {
        PyErr_SetString(PyExc_ValueError, "a table is not of this width");
        return -1;
    }
    /* What bytes hold begins where any number may. */
    *table = (Table){(const int64_t *)(void *)data, size / (width * (Py_ssize_t)sizeof(int64_t)), (int)width};
    return 0;
}

/* Room for a table, or NULL. */
static PyObject *new_table(Py_ssize_t rows, Py_ssize_t width, int64_t **cells)
{
    *cells = NULL;
    if (rows < 0)
        return PyErr_Format(PyExc_ValueError, "fewer rows than none");
    if (rows > PY_SSIZE_T_MAX / (MOST_WIDTH * (Py_ssize_t)sizeof(int64_t)))
        return PyErr_NoMemory();
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, rows * width * (Py_ssize_t)sizeof(int64_t));
    if (bytes)
        *cells = (int64_t *)(void *)PyBytes_AsString(bytes);
    return bytes;
}

/* The table that `made` is when only its first rows are wanted; NULL for none. Takes `made`. */
static PyObject *cut_table(PyObject *made, const int64_t *cells, Py_ssize_t rows, Py_ssize_t width)
{
    Py_ssize_t size = rows * width * (Py_ssize_t)sizeof(int64_t);
    if (!made || size == PyBytes_Size(made))
        return made;
    PyObject *less = PyBytes_FromStringAndSize((const char *)cells, size);
    Py_DECREF(made);
    return less;
}

/* --- numbers found by numbers --- */

typedef struct {
    int64_t key, value;
    int taken;
} Place;

typedef struct {
    Place *places; /* of PyMem; by open addressing, at least half of them free */
    size_t mask, filled;
} Mapping;

/* Room for so many keys. */
static int mapping_open(Mapping *mapping, size_t many)
{
    size_t places = 4;
    while (places < 2 * many + 2)
        places *= 2;
    *mapping = (Mapping){PyMem_Calloc(places, sizeof(Place)), places - 1, 0};
    if (!mapping->places)
        PyErr_NoMemory();
    return mapping->places ? 0 : -1;
}

static Place *place_of(const Mapping *mapping, int64_t key)
{
    uint64_t mixed = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);
    size_t place = (size_t)(mixed >> 32) & mapping->mask;
    while (mapping->places[place].taken && mapping->places[place].key != key)
        place = (place + 1) & mapping->mask;
    return mapping->places + place;
}

static int mapping_add(Mapping *mapping, int64_t key, int64_t value)
{
    if (++mapping->filled > mapping->mask / 2) { /* there would be no end to looking for what is not there */
        PyErr_SetString(PyExc_RuntimeError, "a mapping has grown meanwhile");
        return -1;
    }
    *place_of(mapping, key) = (Place){key, value, 1};
    return 0;
}

/* The numbers of rows by their first column. */
static int mapping_of_rows(Mapping *mapping, const Table *table)
{
    int failed = mapping_open(mapping, (size_t)table->rows);
    for (Py_ssize_t row = 0; !failed && row < table->rows; row++)
        failed = mapping_add(mapping, table->cells[row * table->width], row);
    return failed;
}

#endif
