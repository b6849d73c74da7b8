/* Tables of whole numbers: the twin of the plain functions in daemon/store/tables.py, which are its oracle.

   Rule 1: a table is a bytes object, row by row, of 64-bit numbers as the machine has them; its width is told each time, and
           has to divide it. Nothing is read beyond it.
   Rule 2: a sum, or a number in a text, that does not fit is an OverflowError, never another number.
   Rule 3: no state, and no table is ever changed. The helpers answer 0, or -1 with an exception set.

   Stable ABI of Python 3.11. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
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

/* --- read --- */

/* A number at `*at`, before `end`; what is no number leaves `*at` where it is. */
static int read_number(const char **at, const char *end, int64_t *number)
{
    int negative = *at < end && **at == '-';
    uint64_t value = 0, most = (uint64_t)INT64_MAX + (uint64_t)negative;
    const char *begin = *at + negative, *here = begin;
    for (; here < end && *here >= '0' && *here <= '9'; here++) {
        uint64_t digit = (uint64_t)(*here - '0');
        if (value > (most - digit) / 10) {
            PyErr_SetString(PyExc_OverflowError, "a number of more than 64 bits");
            return -1;
        }
        value = value * 10 + digit;
    }
    if (here > begin)
        *at = here;
    *number = negative ? -(int64_t)(value - (value > 0)) - (value > 0) : (int64_t)value;
    return 0;
}

/* Fill a column with the numbers of a text, exactly as many as there are rows. */
static int read_column(PyObject *text, int64_t *cells, Py_ssize_t rows, Py_ssize_t width)
{
    Py_ssize_t size;
    const char *at = PyUnicode_AsUTF8AndSize(text, &size);
    if (!at)
        return -1;
    const char *end = at + size;
    for (Py_ssize_t row = 0; row < rows; row++) {
        const char *begin = at;
        if (read_number(&at, end, cells + row * width))
            return -1;
        if (at == begin || (row < rows - 1 && (at == end || *at++ != ',')))
            break;
        if (row == rows - 1 && at == end)
            return 0;
    }
    if (!rows && at == end)
        return 0;
    PyErr_SetString(PyExc_ValueError, "not every row has a whole number");
    return -1;
}

static PyObject *table_read(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *texts;
    Py_ssize_t rows;
    int64_t *cells;
    if (!PyArg_ParseTuple(arguments, "O!n:read", &PyTuple_Type, &texts, &rows) || width_of(PyTuple_Size(texts)))
        return NULL;
    Py_ssize_t width = PyTuple_Size(texts);
    PyObject *table = new_table(rows, width, &cells);
    for (Py_ssize_t column = 0; table && column < width; column++)
        if (read_column(PyTuple_GetItem(texts, column), cells + column, rows, width))
            Py_CLEAR(table);
    return table;
}

/* --- picked --- */

typedef struct {
    int64_t key, value;
    int taken;
} Place;

/* A column of the table to be made: one that is there, with another one (`plus`) added, or as `places` translate it. */
typedef struct {
    int column, plus; /* plus: -1 for none */
    Place *places; /* NULL: as it is; else by open addressing, at least half of them free; owned */
    size_t mask;
} Pick;

static size_t place_of(const Pick *pick, int64_t key)
{
    uint64_t mixed = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);
    size_t place = (size_t)(mixed >> 32) & pick->mask;
    while (pick->places[place].taken && pick->places[place].key != key)
        place = (place + 1) & pick->mask;
    return place;
}

static int pick_mapping(Pick *pick, PyObject *mapping)
{
    size_t places = 4;
    while (places < 2 * (size_t)PyDict_Size(mapping) + 2)
        places *= 2;
    pick->places = PyMem_Calloc(places, sizeof(Place));
    if (!pick->places) {
        PyErr_NoMemory();
        return -1;
    }
    pick->mask = places - 1;
    PyObject *key, *value;
    Py_ssize_t at = 0;
    size_t filled = 0;
    while (PyDict_Next(mapping, &at, &key, &value)) {
        if (!PyLong_CheckExact(key) || !PyLong_CheckExact(value)) { /* whose conversion runs no code that could change it */
            PyErr_SetString(PyExc_TypeError, "a column is translated by whole numbers");
            return -1;
        }
        Place pair = {PyLong_AsLongLong(key), PyLong_AsLongLong(value), 1};
        if (PyErr_Occurred())
            return -1;
        if (++filled > pick->mask / 2) { /* there would be no end to looking for what is not there */
            PyErr_SetString(PyExc_RuntimeError, "a mapping has grown meanwhile");
            return -1;
        }
        pick->places[place_of(pick, pair.key)] = pair;
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
    return other && PyDict_Check(other) ? pick_mapping(pick, other) : 0;
}

/* Whether the row stays: 1, or 0; -1 with an exception set. */
static int pick_row(const Pick *picks, Py_ssize_t width, const int64_t *row, int64_t *out)
{
    for (Py_ssize_t i = 0; i < width; i++) {
        const Pick *pick = picks + i;
        int64_t number = row[pick->column];
        if (pick->places) {
            const Place *found = pick->places + place_of(pick, number);
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
    if (!out || rows == table->rows)
        return out;
    PyObject *less = PyBytes_FromStringAndSize((const char *)cells, rows * width * (Py_ssize_t)sizeof(int64_t));
    Py_DECREF(out);
    return less;
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
        PyMem_Free(picks[i].places);
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

/* Sort rows, by all of their columns; `spare` is room for as many. The answer is the one of both that has them. */
static const int64_t **sorted_rows(const int64_t **rows, const int64_t **spare, Py_ssize_t many, int width)
{
    for (Py_ssize_t run = 1; run < many; run *= 2) {
        for (Py_ssize_t begin = 0; begin < many; begin += 2 * run) {
            Py_ssize_t middle = run < many - begin ? begin + run : many, end = 2 * run < many - begin ? begin + 2 * run : many;
            Py_ssize_t left = begin, right = middle, out = begin;
            if (middle == end || compare(rows[middle - 1], rows[middle], width) <= 0) { /* as rows often come */
                memcpy(spare + begin, rows + begin, (size_t)(end - begin) * sizeof(*rows));
                continue;
            }
            while (left < middle && right < end)
                spare[out++] = compare(rows[right], rows[left], width) < 0 ? rows[right++] : rows[left++];
            memcpy(spare + out, rows + left, (size_t)(middle - left) * sizeof(*rows));
            memcpy(spare + out + (middle - left), rows + right, (size_t)(end - right) * sizeof(*rows));
        }
        const int64_t **sorted = spare;
        spare = rows;
        rows = sorted;
    }
    return rows;
}

/* Add a row to those before it that have the same keys; `how` has a letter for each column behind these. */
static int join_row(int64_t *into, const int64_t *row, const char *how)
{
    for (; *how; how++, into++, row++) {
        switch (*how) {
        case '+':
            if (__builtin_add_overflow(*into, *row, into)) {
                PyErr_SetString(PyExc_OverflowError, "a sum of more than 64 bits");
                return -1;
            }
            break;
        case '<':
            *into = *row < *into ? *row : *into;
            break;
        case '>':
            *into = *row > *into ? *row : *into;
            break;
        default: /* '$': the last */
            *into = *row;
        }
    }
    return 0;
}

static PyObject *join_rows(const int64_t *const *rows, const Table *table, int keys, const char *how)
{
    int64_t *cells, *group = NULL;
    size_t size = (size_t)table->width * sizeof(int64_t);
    PyObject *out = new_table(table->rows, table->width, &cells);
    for (Py_ssize_t row = 0; out && row < table->rows; row++) {
        if (!group || compare(group, rows[row], keys)) {
            group = group ? group + table->width : cells;
            memcpy(group, rows[row], size);
        } else if (join_row(group + keys, rows[row] + keys, how))
            Py_CLEAR(out);
    }
    if (!out || !group || group == cells + (table->rows - 1) * table->width)
        return out;
    PyObject *less = PyBytes_FromStringAndSize((const char *)cells, (char *)(group + table->width) - (char *)cells);
    Py_DECREF(out);
    return less;
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
    PyObject *out = join_rows(sorted_rows(rows, rows + table.rows, table.rows, table.width), &table, (int)keys, how);
    PyMem_Free(rows);
    return out;
}

static PyMethodDef METHODS[] = {
    {"read", table_read, METH_VARARGS, "read(texts, rows): a table with a column of each text."},
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
