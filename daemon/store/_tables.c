/* Tables of whole numbers: the twin of the plain functions in daemon/store/tables.py, flow_cells.py and
   fetched.py, which are its oracle.

   Rule 1: a table is a bytes object, row by row, of 64-bit numbers as the machine has them; its width is told each time, and
           has to divide it. Nothing is read beyond it.
   Rule 2: a sum that does not fit is an OverflowError, never another number.
   Rule 3: no state, and no table is ever changed. The helpers answer 0, or -1 with an exception set.

   Stable ABI of Python 3.11. */

#include "_tables_cells.h"
#include "_tables_fetched.h"
#include "_tables_image.h"

/* --- picked --- */

/* A column of the table to be made: one that is there, with another one (`plus`) added, or as `places` translate it. */
typedef struct {
    int column, plus; /* plus: -1 for none */
    Mapping mapping; /* no places: as it is */
} Pick;

static int pick_mapping(Mapping *into, PyObject *mapping)
{
    if (mapping_open(into, (size_t)PyDict_Size(mapping)))
        return -1;
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(mapping, &at, &key, &value)) {
        if (!PyLong_CheckExact(key) || !PyLong_CheckExact(value)) { /* whose conversion runs no code that could change it */
            PyErr_SetString(PyExc_TypeError, "a column is translated by whole numbers");
            return -1;
        }
        long long number = PyLong_AsLongLong(key), told = PyLong_AsLongLong(value);
        if (PyErr_Occurred() || mapping_add(into, number, told))
            return -1;
    }
    return 0;
}

static int pick_of(Pick *pick, PyObject *asked, int width)
{
    PyObject *column = asked, *other = NULL;
    if (PyTuple_Check(asked) && PyTuple_Size(asked) == 2) {
        column = PyTuple_GetItem(asked, 0);
        other = PyTuple_GetItem(asked, 1);
    }
    pick->plus = -1;
    pick->column = (int)PyLong_AsLong(column);
    if (other && !PyDict_Check(other))
        pick->plus = (int)PyLong_AsLong(other);
    if (PyErr_Occurred())
        return -1;
    if (pick->column < 0 || pick->column >= width || pick->plus < -1 || pick->plus >= width) {
        PyErr_SetString(PyExc_IndexError, "there is no such column");
        return -1;
    }
    return other && PyDict_Check(other) ? pick_mapping(&pick->mapping, other) : 0;
}

/* Whether the row stays: 1, or 0; -1 with an exception set. */
static int pick_row(const Pick *picks, Py_ssize_t width, const int64_t *row, int64_t *out)
{
    for (Py_ssize_t i = 0; i < width; i++) {
        const Pick *pick = picks + i;
        int64_t number = row[pick->column];
        if (pick->mapping.places) {
            const Place *found = place_of(&pick->mapping, number);
            if (!found->taken)
                return 0;
            number = found->value;
        }
        if (pick->plus >= 0 && __builtin_add_overflow(number, row[pick->plus], &number)) {
            PyErr_SetString(PyExc_OverflowError, "a sum of more than 64 bits");
            return -1;
        }
        out[i] = number;
    }
    return 1;
}

static PyObject *pick_rows(const Table *table, const Pick *picks, Py_ssize_t width)
{
    int64_t *cells;
    PyObject *out = new_table(table->rows, width, &cells);
    Py_ssize_t rows = 0;
    for (Py_ssize_t row = 0; out && row < table->rows; row++) {
        int stays = pick_row(picks, width, table->cells + row * table->width, cells + rows * width);
        if (stays < 0)
            Py_CLEAR(out);
        rows += stays;
    }
    return cut_table(out, cells, rows, width);
}

static PyObject *table_picked(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *bytes, *columns;
    Py_ssize_t width;
    Table table;
    if (!PyArg_ParseTuple(arguments, "O!nO!:picked", &PyBytes_Type, &bytes, &width, &PyTuple_Type, &columns) ||
        table_of(&table, bytes, width) || width_of(PyTuple_Size(columns)))
        return NULL;
    Pick picks[MOST_WIDTH] = {0};
    Py_ssize_t wanted = PyTuple_Size(columns);
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < wanted; i++)
        failed = pick_of(picks + i, PyTuple_GetItem(columns, i), table.width);
    PyObject *out = failed ? NULL : pick_rows(&table, picks, wanted);
    for (Py_ssize_t i = 0; i < wanted; i++)
        PyMem_Free(picks[i].mapping.places);
    return out;
}

/* --- grouped --- */

static int compare(const int64_t *one, const int64_t *other, int width)
{
    for (int i = 0; i < width; i++)
        if (one[i] != other[i])
            return one[i] < other[i] ? -1 : 1;
    return 0;
}

/* Put rows in the order of 8 bits of a column, in `spare`; of those that are alike there none passes another. */
static void sort_byte(const int64_t **rows, const int64_t **spare, Py_ssize_t many, int column, uint64_t least, int shift)
{
    Py_ssize_t places[257] = {0};
    for (Py_ssize_t row = 0; row < many; row++)
        places[(((uint64_t)rows[row][column] - least) >> shift & 0xFF) + 1]++;
    for (int byte = 0; byte < 256; byte++)
        places[byte + 1] += places[byte];
    for (Py_ssize_t row = 0; row < many; row++)
        spare[places[((uint64_t)rows[row][column] - least) >> shift & 0xFF]++] = rows[row];
}

/* Sort rows by their first columns, the last of these first; `spare` is room for as many. The answer is the one of both that
   has them. Numbers of one column are often near each other, so that it is done with few bytes of what they are above the
   least. */
static const int64_t **sorted_rows(const int64_t **rows, const int64_t **spare, Py_ssize_t many, int columns)
{
    for (int column = columns - 1; many > 1 && column >= 0; column--) {
        int64_t least = rows[0][column], most = least;
        int ordered = 1;
        for (Py_ssize_t row = 1; row < many; row++) {
            int64_t number = rows[row][column];
            ordered &= rows[row - 1][column] <= number;
            least = number < least ? number : least;
            most = number > most ? number : most;
        }
        uint64_t range = (uint64_t)most - (uint64_t)least;
        for (int shift = 0; !ordered && shift < 64 && range >> shift; shift += 8) {
            sort_byte(rows, spare, many, column, (uint64_t)least, shift);
            const int64_t **sorted = spare;
            spare = rows;
            rows = sorted;
        }
    }
    return rows;
}

/* A group of rows: what they come to, and of its sums what does not fit into 64 bits. */
typedef struct {
    int64_t *row;
    int64_t above[MOST_WIDTH];
} Group;

static void open_group(Group *group, int64_t *into, const int64_t *row, int width)
{
    group->row = into;
    for (int i = 0; i < width; i++) {
        into[i] = row[i];
        group->above[i] = row[i] < 0 ? -1 : 0;
    }
}

/* Add a row; `how` has a letter for each column behind the keys. */
static void join_row(Group *group, const int64_t *row, int keys, const char *how)
{
    for (int i = keys; *how; how++, i++) {
        int64_t *into = group->row + i, number = row[i];
        if (*how == '+') {
            uint64_t sum = (uint64_t)*into + (uint64_t)number;
            group->above[i] += (sum < (uint64_t)number) - (number < 0);
            memcpy(into, &sum, sizeof sum);
        } else if (*how == '$' || (*how == '<' ? number < *into : number > *into))
            *into = number;
    }
}

static int close_group(const Group *group, int keys, const char *how)
{
    for (int i = keys; *how; how++, i++) {
        if (*how == '+' && group->above[i] != (group->row[i] < 0 ? -1 : 0)) {
            PyErr_SetString(PyExc_OverflowError, "a sum of more than 64 bits");
            return -1;
        }
    }
    return 0;
}

static PyObject *join_rows(const int64_t *const *rows, const Table *table, int keys, const char *how)
{
    int64_t *cells;
    Group group = {0};
    Py_ssize_t groups = 0;
    PyObject *out = new_table(table->rows, table->width, &cells);
    for (Py_ssize_t row = 0; out && row < table->rows; row++) {
        if (group.row && !compare(group.row, rows[row], keys)) {
            join_row(&group, rows[row], keys, how);
            continue;
        }
        if (group.row && close_group(&group, keys, how))
            Py_CLEAR(out);
        else
            open_group(&group, cells + groups++ * table->width, rows[row], table->width);
    }
    if (out && group.row && close_group(&group, keys, how))
        Py_CLEAR(out);
    return cut_table(out, cells, groups, table->width);
}

static PyObject *table_grouped(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *bytes;
    Py_ssize_t width, keys, letters;
    const char *how;
    Table table;
    if (!PyArg_ParseTuple(arguments, "O!nns#:grouped", &PyBytes_Type, &bytes, &width, &keys, &how, &letters) ||
        table_of(&table, bytes, width))
        return NULL;
    if (keys < 1 || keys > width || letters != width - keys || strspn(how, "+<>$") != (size_t)letters)
        return PyErr_Format(PyExc_ValueError, "each column is a key or has a letter");
    if (table.rows > PY_SSIZE_T_MAX / (2 * (Py_ssize_t)sizeof(int64_t *)))
        return PyErr_NoMemory();
    const int64_t **rows = PyMem_Malloc((size_t)table.rows * 2 * sizeof(*rows) + 1);
    if (!rows)
        return PyErr_NoMemory();
    for (Py_ssize_t row = 0; row < table.rows; row++)
        rows[row] = table.cells + row * table.width;
    const char *last = strrchr(how, '$'); /* which row is the last one its column, and those before it, say */
    int columns = (int)keys + (last ? (int)(last - how) + 1 : 0);
    PyObject *out = join_rows(sorted_rows(rows, rows + table.rows, table.rows, columns), &table, (int)keys, how);
    PyMem_Free(rows);
    return out;
}

static PyMethodDef METHODS[] = {
    {"cells", table_cells, METH_VARARGS, "cells(flows, ends, kinds, hidden): what flows moved, as their stations see it."},
    {"fetched", table_fetched, METH_VARARGS, "fetched(image, root, width, texts): a table out of a database, or None."},
    {"image", table_image, METH_VARARGS, "image(schema, ((table, width, keys), ...), version): a database, or None."},
    {"picked", table_picked, METH_VARARGS, "picked(table, width, columns): another table."},
    {"grouped", table_grouped, METH_VARARGS, "grouped(table, width, keys, how): sorted, equal keys once."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot MODULE_SLOTS[] = {{0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.store._tables",
    .m_doc = "Tables of whole numbers; see daemon/store/tables.py.",
    .m_methods = METHODS,
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit__tables(void)
{
    return PyModuleDef_Init(&MODULE);
}
