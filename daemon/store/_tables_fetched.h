/* The rows of a table out of an image of an SQLite database (https://www.sqlite.org/fileformat2.html, 1.5, 1.6 and 2.1).

   Whole numbers are as they are, texts are numbers by which a mapping of the caller has them. What else a row may hold (NULL,
   a fraction, bytes, more than a page) is UNREAD, as is whatever does not look like an image: nothing is read beyond it. */

#ifndef HOMEPORT_STORE_TABLES_FETCHED_H
#define HOMEPORT_STORE_TABLES_FETCHED_H

#include "_tables_table.h"

enum { READ = 0, UNREAD = 1, BROKEN = -1 }; /* BROKEN: with an exception set */
enum { IMAGE_HEADER = 100, MOST_DEPTH = 20, LATEST = 64 };
enum { INNER_PAGE = 0x05, LEAF_PAGE = 0x0D };

typedef struct {
    const uint8_t *text;
    size_t size;
    int64_t number;
} Latest; /* a text that was met, where it stands in the image */

typedef struct {
    const uint8_t *bytes;
    size_t size, page, usable;
    PyObject *texts; /* a dict */
    Latest latest[LATEST];
    int64_t *cells; /* of PyMem */
    Py_ssize_t rows, room;
    int width;
    size_t pages; /* that may still be looked at */
} Fetch;

static uint64_t get_big(const uint8_t *at, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

/* A varint at `*at`, before `end`; whether there is one. Nearly all are one byte. */
static inline int get_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (int digit = 0; digit < 9 && *at < end; digit++) {
        uint8_t byte = *(*at)++;
        *value = digit == 8 ? *value << 8 | byte : *value << 7 | (byte & 0x7F);
        if (digit == 8 || byte < 0x80)
            return 1;
    }
    return 0;
}

/* The number of a text: that of the mapping, or the next one below zero. */
static int number_text(Fetch *fetch, const uint8_t *text, size_t size, int64_t *number)
{
    PyObject *key = PyUnicode_FromStringAndSize((const char *)text, (Py_ssize_t)size);
    PyObject *known = key ? PyDict_GetItemWithError(fetch->texts, key) : NULL, *made = NULL;
    if (key && !known && !PyErr_Occurred())
        known = made = PyLong_FromLongLong(-(long long)PyDict_Size(fetch->texts) - 1);
    if (made && PyDict_SetItem(fetch->texts, key, made))
        known = NULL;
    if (known)
        *number = PyLong_AsLongLong(known);
    Py_XDECREF(made);
    Py_XDECREF(key);
    return PyErr_Occurred() ? BROKEN : READ;
}

static int fetch_text(Fetch *fetch, const uint8_t *text, size_t size, int64_t *number)
{
    unsigned place = (unsigned)size;
    for (size_t i = 0; i < size; i++)
        place = place * 31 + text[i];
    Latest *latest = fetch->latest + place % LATEST;
    if (!latest->text || latest->size != size || memcmp(latest->text, text, size)) {
        if (number_text(fetch, text, size, &latest->number)) {
            latest->text = NULL;
            return BROKEN;
        }
        latest->text = text;
        latest->size = size;
    }
    *number = latest->number;
    return READ;
}

/* A whole number of so many bytes at `at`; there are 8 to be read, of which the first are taken. */
static inline int64_t get_number(const uint8_t *at, int size)
{
    uint64_t bits = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
                    (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | (uint64_t)at[7];
    return (int64_t)bits >> (64 - 8 * size);
}

/* A value of a type (section 2.1) at `*at`, before `end`. */
static inline int fetch_value(Fetch *fetch, uint64_t type, const uint8_t **at, const uint8_t *end, int64_t *number)
{
    static const uint8_t widths[] = {0, 1, 2, 3, 4, 6, 8};
    if (type == 8 || type == 9) {
        *number = (int64_t)type - 8;
        return READ;
    }
    int text = type >= 13 && type % 2;
    uint64_t size = text ? (type - 13) / 2 : type < sizeof widths ? widths[type] : 0;
    if ((!text && !size) || size > (uint64_t)(end - *at))
        return UNREAD;
    const uint8_t *value = *at;
    *at += size;
    if (text)
        return fetch_text(fetch, value, (size_t)size, number);
    uint8_t last[8] = {0}; /* of the image there may be less than is read */
    if (fetch->bytes + fetch->size - value < 8)
        value = memcpy(last, value, (size_t)size);
    *number = get_number(value, (int)size);
    return READ;
}

static int fetch_record(Fetch *fetch, const uint8_t *record, const uint8_t *end)
{
    const uint8_t *type = record, *value;
    uint64_t head, kind;
    if (!get_varint(&type, end, &head) || head > (uint64_t)(end - record))
        return UNREAD;
    value = record + head;
    if (fetch->rows == fetch->room) {
        Py_ssize_t room = fetch->room ? 2 * fetch->room : 256;
        int64_t *cells = PyMem_Realloc(fetch->cells, (size_t)room * (size_t)fetch->width * sizeof *cells);
        if (!cells) {
            PyErr_NoMemory();
            return BROKEN;
        }
        fetch->cells = cells;
        fetch->room = room;
    }
    int64_t *row = fetch->cells + fetch->rows * fetch->width;
    const uint8_t *types = record + head;
    for (int column = 0; column < fetch->width; column++) {
        int state = get_varint(&type, types, &kind) ? fetch_value(fetch, kind, &value, end, row + column) : UNREAD;
        if (state)
            return state;
    }
    fetch->rows++;
    return type == types ? READ : UNREAD;
}

static int fetch_leaf(Fetch *fetch, const uint8_t *page, unsigned cells)
{
    const uint8_t *end = page + fetch->usable;
    int state = READ;
    for (unsigned cell = 0; !state && cell < cells; cell++) {
        size_t offset = (size_t)get_big(page + 8 + 2 * cell, 2);
        const uint8_t *at = page + (offset < fetch->usable ? offset : fetch->usable);
        uint64_t size, key;
        if (!get_varint(&at, end, &size) || !get_varint(&at, end, &key) || size > fetch->usable - 35 ||
            size > (uint64_t)(end - at)) /* 35: with more, a part lies elsewhere */
            return UNREAD;
        state = fetch_record(fetch, at, at + size);
    }
    return state;
}

static int fetch_page(Fetch *fetch, uint64_t number, int depth)
{
    if (number < 2 || number > fetch->size / fetch->page || depth > MOST_DEPTH || !fetch->pages--)
        return UNREAD;
    const uint8_t *page = fetch->bytes + (number - 1) * fetch->page;
    unsigned cells = (unsigned)get_big(page + 3, 2);
    if (page[0] == LEAF_PAGE)
        return 8 + 2 * (size_t)cells <= fetch->usable ? fetch_leaf(fetch, page, cells) : UNREAD;
    if (page[0] != INNER_PAGE || 12 + 2 * (size_t)cells > fetch->usable)
        return UNREAD;
    int state = READ;
    for (unsigned cell = 0; !state && cell < cells; cell++) {
        size_t at = (size_t)get_big(page + 12 + 2 * cell, 2);
        state = at + 4 <= fetch->usable ? fetch_page(fetch, get_big(page + at, 4), depth + 1) : UNREAD;
    }
    return state ? state : fetch_page(fetch, get_big(page + 8, 4), depth + 1);
}

/* Look at the header of the image (section 1.3). */
static int fetch_open(Fetch *fetch, const char *bytes, Py_ssize_t size)
{
    fetch->bytes = (const uint8_t *)bytes;
    fetch->size = (size_t)size;
    if (size < IMAGE_HEADER || memcmp(bytes, "SQLite format 3", 16) || get_big(fetch->bytes + 56, 4) != 1) /* UTF-8 */
        return UNREAD;
    size_t page = (size_t)get_big(fetch->bytes + 16, 2), reserved = fetch->bytes[20];
    fetch->page = page == 1 ? 65536 : page;
    if (fetch->page < 512 || fetch->page - reserved < 480)
        return UNREAD;
    fetch->usable = fetch->page - reserved;
    fetch->pages = fetch->size / fetch->page;
    return READ;
}

static PyObject *table_fetched(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *image, *made = NULL;
    Py_ssize_t width;
    long long root;
    Fetch fetch = {0};
    if (!PyArg_ParseTuple(arguments, "O!LnO!:fetched", &PyBytes_Type, &image, &root, &width, &PyDict_Type, &fetch.texts) ||
        width_of(width))
        return NULL;
    fetch.width = (int)width;
    int state = fetch_open(&fetch, PyBytes_AsString(image), PyBytes_Size(image));
    state = state ? state : fetch_page(&fetch, root < 0 ? 0 : (uint64_t)root, 0);
    Py_ssize_t size = fetch.rows * width * (Py_ssize_t)sizeof(int64_t);
    if (state == READ)
        made = PyBytes_FromStringAndSize((const char *)fetch.cells, size);
    else if (state == UNREAD)
        made = Py_NewRef(Py_None);
    PyMem_Free(fetch.cells);
    return made;
}

#endif
