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

/* A row, and what of it is being sorted by. */
typedef struct {
    uint64_t key;
    const int64_t *row;
} Keyed;

/* Put rows in the order of 8 bits of their keys, in `spare`; of those that are alike there none passes another. 0, and
   nothing done, where all are. */
static int sort_byte(const Keyed *rows, Keyed *spare, Py_ssize_t many, int shift)
{
    Py_ssize_t places[257] = {0};
    for (Py_ssize_t row = 0; row < many; row++)
        places[(rows[row].key >> shift & 0xFF) + 1]++;
    if (places[(rows->key >> shift & 0xFF) + 1] == many)
        return 0;
    for (int byte = 0; byte < 256; byte++)
        places[byte + 1] += places[byte];
    for (Py_ssize_t row = 0; row < many; row++)
        spare[places[rows[row].key >> shift & 0xFF]++] = rows[row];
    return 1;
}

/* The least number of each of the first columns, and how many bits there are in what others are above it. */
static void measure_columns(const Keyed *rows, Py_ssize_t many, int columns, int64_t *least, int *bits)
{
    int64_t most[MOST_WIDTH];
    memcpy(least, rows->row, (size_t)columns * sizeof *least);
    memcpy(most, rows->row, (size_t)columns * sizeof *most);
    for (Py_ssize_t row = 1; row < many; row++)
        for (int column = 0; column < columns; column++) {
            int64_t number = rows[row].row[column];
            least[column] = number < least[column] ? number : least[column];
            most[column] = number > most[column] ? number : most[column];
        }
    for (int column = 0; column < columns; column++) {
        uint64_t range = (uint64_t)most[column] - (uint64_t)least[column];
        for (bits[column] = 0; bits[column] < 64 && range >> bits[column];)
            bits[column]++;
    }
}

/* Make keys of these columns, `first` the uppermost; whether all rows are in their order already. */
static int key_rows(Keyed *rows, Py_ssize_t many, int first, int behind, const int64_t *least, const int *bits)
{
    int ordered = 1;
    for (Py_ssize_t row = 0; row < many; row++) {
        uint64_t key = (uint64_t)rows[row].row[first] - (uint64_t)least[first];
        for (int column = first + 1; column < behind; column++)
            key = key << bits[column] | ((uint64_t)rows[row].row[column] - (uint64_t)least[column]);
        rows[row].key = key;
        ordered &= !row || rows[row - 1].key <= key;
    }
    return ordered;
}

/* Sort rows by their first columns, the last of these first; `spare` is room for as many. The answer is the one of both that
   has them. Numbers of one column are often near each other, so that a key has room for several. */
static const Keyed *sorted_rows(Keyed *rows, Keyed *spare, Py_ssize_t many, int columns)
{
    int64_t least[MOST_WIDTH];
    int bits[MOST_WIDTH], first;
    if (many > 1)
        measure_columns(rows, many, columns, least, bits);
    for (int behind = columns; many > 1 && behind; behind = first) {
        first = behind - 1;
        int width = bits[first];
        while (first && width + bits[first - 1] < 64) /* shifted by 64 there would be no telling */
            width += bits[--first];
        int ordered = key_rows(rows, many, first, behind, least, bits);
        for (int shift = 0; !ordered && shift < width; shift += 8)
            if (sort_byte(rows, spare, many, shift)) {
                Keyed *sorted = spare;
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

static PyObject *join_rows(const Keyed *rows, const Table *table, int keys, const char *how)
{
    int64_t *cells;
    Group group = {0};
    Py_ssize_t groups = 0;
    PyObject *out = new_table(table->rows, table->width, &cells);
    for (Py_ssize_t row = 0; out && row < table->rows; row++) {
        if (group.row && !compare(group.row, rows[row].row, keys)) {
            join_row(&group, rows[row].row, keys, how);
            continue;
        }
        if (group.row && close_group(&group, keys, how))
            Py_CLEAR(out);
        else
            open_group(&group, cells + groups++ * table->width, rows[row].row, table->width);
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
    if (table.rows > PY_SSIZE_T_MAX / (2 * (Py_ssize_t)sizeof(Keyed)))
        return PyErr_NoMemory();
    Keyed *rows = PyMem_Malloc((size_t)table.rows * 2 * sizeof(*rows) + 1);
    if (!rows)
        return PyErr_NoMemory();
    for (Py_ssize_t row = 0; row < table.rows; row++)
        rows[row].row = table.cells + row * table.width;
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
