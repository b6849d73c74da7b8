/* Tables as a database in SQLite's file format, from which SQLite copies the rows; see daemon/store/sums_image.py.

   Each becomes a table WITHOUT ROWID, whose key comes first: so many columns, which have to be in their order. Behind them
   stands a column of zeros. */

#ifndef HOMEPORT_STORE_TABLES_IMAGE_H
#define HOMEPORT_STORE_TABLES_IMAGE_H

#include "_rows_pages.h"
#include "_tables_table.h"

enum { MOST_TABLES = 8 };

typedef struct {
    Image image;
    Tree tree;
    Record record;
    uint32_t roots[MOST_TABLES];
} Made;

static int key_follows(const int64_t *row, const int64_t *before, int keys)
{
    for (int i = 0; i < keys; i++)
        if (row[i] != before[i])
            return row[i] > before[i];
    return 0;
}

/* FINE, UNUSUAL or FAILED, as below. */
static int add_table(Made *made, const Table *table, int keys)
{
    int state = FINE;
    tree_open(&made->tree, &made->image, 1);
    for (Py_ssize_t at = 0; !state && at < table->rows; at++) {
        const int64_t *row = table->cells + at * table->width;
        if (at && !key_follows(row, row - table->width, keys)) { /* SQLite would not find them again */
            PyErr_SetString(PyExc_ValueError, "rows are not in the order of their keys");
            return FAILED;
        }
        record_open(&made->record);
        for (int column = 0; column < table->width; column++) {
            if (column == keys)
                put_number(&made->record, 0);
            put_number(&made->record, row[column]);
        }
        state = tree_add(&made->tree, &made->record, 0);
    }
    return state ? state : tree_close(&made->tree);
}

static int add_tables(Made *made, PyObject *schema, PyObject *parts, long version)
{
    Py_ssize_t many = PyTuple_Size(parts);
    int state = image_page(&made->image) ? FINE : FAILED; /* the schema's, which comes last */
    if (many > MOST_TABLES) {
        PyErr_SetString(PyExc_ValueError, "more tables than there is room for");
        return FAILED;
    }
    for (Py_ssize_t at = 0; !state && at < many; at++) {
        PyObject *bytes;
        Py_ssize_t width;
        int keys;
        Table table;
        PyObject *part = PyTuple_GetItem(parts, at);
        if (!PyTuple_Check(part)) {
            PyErr_SetString(PyExc_TypeError, "a table, its width and its keys are a tuple");
            return FAILED;
        }
        if (!PyArg_ParseTuple(part, "Sni", &bytes, &width, &keys) || table_of(&table, bytes, width))
            return FAILED;
        if (keys < 1 || keys >= width) {
            PyErr_SetString(PyExc_ValueError, "some columns are the key, some are not");
            return FAILED;
        }
        state = add_table(made, &table, keys);
        made->roots[at] = made->tree.root;
    }
    state = state ? state : put_schema(&made->image, schema, made->roots, (int)many, &made->record);
    if (!state)
        put32(made->image.bytes + 40, (uint32_t)version);
    return state;
}

static PyObject *table_image(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *schema, *parts, *image = NULL;
    long version;
    Made *made = PyMem_Calloc(1, sizeof *made);
    if (!made)
        return PyErr_NoMemory();
    if (PyArg_ParseTuple(arguments, "O!O!l:image", &PyTuple_Type, &schema, &PyTuple_Type, &parts, &version)) {
        int state = add_tables(made, schema, parts, version);
        if (state == FINE)
            image = image_close(&made->image);
        else if (state == UNUSUAL)
            image = Py_NewRef(Py_None);
    }
    Py_XDECREF(made->image.made);
    PyMem_Free(made);
    return image;
}

#endif
