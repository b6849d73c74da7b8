/* A database of SQLite's file format, made from its rows in the order of their keys
   (https://www.sqlite.org/fileformat2.html, sections 1.3 and 1.5).

   A tree is one leaf, or leaves below one inner page; more of them are UNUSUAL. Page numbers begin with 1, which is the
   schema's; 0 is none. Pointers into an image hold until its next page is made. */

#ifndef HOMEPORT_STORE_ROWS_PAGES_H
#define HOMEPORT_STORE_ROWS_PAGES_H

#include "_rows_record.h"

enum { PAGE = 65536, FILE_HEADER = 100, LEAF_HEADER = 8, INNER_HEADER = 12 };
enum { TABLE_LEAF = 0x0D, TABLE_INNER = 0x05, INDEX_LEAF = 0x0A, INDEX_INNER = 0x02 };

typedef struct {
    PyObject *made; /* a bytearray: what is made needs no copy to be handed out */
    uint8_t *bytes; /* of it */
    uint32_t pages, room;
} Image;

static void put16(uint8_t *to, unsigned value) { to[0] = (uint8_t)(value >> 8), to[1] = (uint8_t)value; }

static void put32(uint8_t *to, uint32_t value) { put16(to, value >> 16), put16(to + 2, value & 0xFFFF); }

static uint8_t *page_of(const Image *image, uint32_t number) { return image->bytes + (size_t)(number - 1) * PAGE; }

/* The number of a new page; 0 with an exception set. */
static uint32_t image_page(Image *image)
{
    if (image->pages == image->room) {
        uint32_t room = image->room ? 2 * image->room : 32;
        if (!image->made && !(image->made = PyByteArray_FromStringAndSize(NULL, 0)))
            return 0;
        if (PyByteArray_Resize(image->made, (Py_ssize_t)room * PAGE))
            return 0;
        image->bytes = (uint8_t *)PyByteArray_AsString(image->made);
        image->room = room;
    }
    return ++image->pages;
}

/* The image, which is whole now; NULL with an exception set. */
static PyObject *image_close(Image *image)
{
    PyObject *made = image->made;
    image->made = NULL;
    if (made && PyByteArray_Resize(made, (Py_ssize_t)image->pages * PAGE))
        Py_CLEAR(made);
    return made;
}

/* --- a page: a header, pointers to the cells behind it, the cells from its end */

typedef struct {
    int header; /* bytes in front of the pointers */
    int cells, content; /* where the last one lies */
} Page;

static int page_fits(const Page *page, int size) { return page->content - size >= page->header + 2 * (page->cells + 1); }

/* Room for a cell, which is known to fit. */
static uint8_t *page_cell(Page *page, uint8_t *at, int size)
{
    page->content -= size;
    put16(at + page->header + 2 * page->cells++, (unsigned)page->content);
    return at + page->content;
}

static void page_close(const Page *page, uint8_t *header, int kind)
{
    uint8_t *pointers = header + (kind == TABLE_INNER || kind == INDEX_INNER ? INNER_HEADER : LEAF_HEADER);
    int gap = page->content - page->header - 2 * page->cells;
    memset(pointers + 2 * page->cells, 0, (size_t)gap);
    memset(header, 0, LEAF_HEADER);
    header[0] = (uint8_t)kind;
    put16(header + 3, (unsigned)page->cells);
    put16(header + 5, (unsigned)page->content & 0xFFFF); /* 0 is 65536 */
}

/* --- a tree */

typedef struct {
    Image *image;
    uint32_t leaf, root;
    int index; /* its cells have no key beside the record */
    int last; /* bytes of the latest cell */
    long long key; /* of the latest row of a table */
    Page page, inner;
    uint8_t above[PAGE]; /* the inner page */
} Tree;

static void tree_open(Tree *tree, Image *image, int index)
{
    tree->image = image;
    tree->leaf = tree->root = 0;
    tree->index = index;
    tree->key = INT64_MIN;
    tree->inner = (Page){INNER_HEADER, 0, PAGE};
}

/* Note the leaf in the inner page. In an index its last cell moves there, and stands between it and the next. */
static int tree_turn(Tree *tree)
{
    uint8_t *at = page_of(tree->image, tree->leaf), key[MOST_VARINT];
    int size = tree->index ? tree->last : put_varint(key, (uint64_t)tree->key);
    if (!page_fits(&tree->inner, 4 + size))
        return UNUSUAL;
    uint8_t *cell = page_cell(&tree->inner, tree->above, 4 + size);
    put32(cell, tree->leaf);
    memcpy(cell + 4, tree->index ? at + tree->page.content : key, (size_t)size);
    if (tree->index) {
        tree->page.cells--;
        tree->page.content += size;
    }
    page_close(&tree->page, at, tree->index ? INDEX_LEAF : TABLE_LEAF);
    tree->leaf = 0;
    return FINE;
}

/* Add a record; `key` is that of a table's row. FINE, UNUSUAL or FAILED. */
static int tree_add(Tree *tree, const Record *record, long long key)
{
    uint8_t head[2 * MOST_VARINT];
    int payload = payload_size(record), begin = put_varint(head, (uint64_t)payload);
    if (record->state)
        return record->state;
    if (!tree->index) {
        if (key <= tree->key) {
            PyErr_SetString(PyExc_ValueError, "rows are not in the order of their numbers");
            return FAILED;
        }
        begin += put_varint(head + begin, (uint64_t)key);
    }
    if (tree->leaf && !page_fits(&tree->page, begin + payload) && tree_turn(tree))
        return UNUSUAL;
    if (!tree->leaf) {
        tree->leaf = image_page(tree->image);
        tree->page = (Page){LEAF_HEADER, 0, PAGE};
        if (!tree->leaf)
            return FAILED;
    }
    uint8_t *cell = page_cell(&tree->page, page_of(tree->image, tree->leaf), begin + payload);
    memcpy(cell, head, (size_t)begin);
    put_payload(record, cell + begin);
    tree->last = begin + payload;
    tree->key = key;
    return FINE;
}

/* End the tree; its root is known then. FINE or FAILED. */
static int tree_close(Tree *tree)
{
    if (!tree->leaf) {
        tree->leaf = image_page(tree->image);
        tree->page = (Page){LEAF_HEADER, 0, PAGE};
    }
    if (!tree->leaf)
        return FAILED;
    page_close(&tree->page, page_of(tree->image, tree->leaf), tree->index ? INDEX_LEAF : TABLE_LEAF);
    tree->root = tree->leaf;
    if (!tree->inner.cells)
        return FINE;
    tree->root = image_page(tree->image);
    if (!tree->root)
        return FAILED;
    page_close(&tree->inner, tree->above, tree->index ? INDEX_INNER : TABLE_INNER);
    put32(tree->above + 8, tree->leaf);
    memcpy(page_of(tree->image, tree->root), tree->above, PAGE);
    return FINE;
}

/* --- the first page: section 1.3, and the schema (section 2.6) */

static void put_file_header(Image *image)
{
    uint8_t *at = image->bytes;
    memset(at, 0, FILE_HEADER);
    memcpy(at, "SQLite format 3", 16);
    put16(at + 16, 1); /* pages of 64 KiB */
    at[18] = at[19] = 1; /* written and read without a write-ahead log */
    at[21] = 64, at[22] = 32, at[23] = 32;
    put32(at + 24, 1); /* changes, and below: those at which the number of pages held */
    put32(at + 28, image->pages);
    put32(at + 40, 1); /* changes of the schema */
    at[47] = 4; /* its format: with types for 0 and 1 */
    at[59] = 1; /* texts are UTF-8 */
    put32(at + 92, 1);
    put32(at + 96, 3037000); /* the version that writes it: the first with STRICT */
}

/* Write the schema: tuples of type, name, table and SQL, one for each of the roots. FINE, UNUSUAL or FAILED. */
static int put_schema(Image *image, PyObject *schema, const uint32_t *roots, int count, Record *record)
{
    Page page = {FILE_HEADER + LEAF_HEADER, 0, PAGE};
    if (PyTuple_Size(schema) != count) {
        PyErr_SetString(PyExc_ValueError, "not the schema that is known here");
        return FAILED;
    }
    for (int at = 0; at < count; at++) {
        PyObject *type, *name, *table, *sql, *row = PyTuple_GetItem(schema, at);
        if (!row || !PyTuple_Check(row) || !PyArg_ParseTuple(row, "UUUU", &type, &name, &table, &sql)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "a schema is made of tuples");
            return FAILED;
        }
        record_open(record);
        put_text(record, type), put_text(record, name), put_text(record, table);
        put_number(record, roots[at]);
        put_text(record, sql);
        uint8_t head[2 * MOST_VARINT];
        int begin = put_varint(head, (uint64_t)payload_size(record));
        begin += put_varint(head + begin, (uint64_t)at + 1);
        if (record->state || !page_fits(&page, begin + payload_size(record)))
            return record->state ? record->state : UNUSUAL;
        uint8_t *cell = page_cell(&page, image->bytes, begin + payload_size(record));
        memcpy(cell, head, (size_t)begin);
        put_payload(record, cell + begin);
    }
    put_file_header(image);
    page_close(&page, image->bytes + FILE_HEADER, TABLE_LEAF);
    return FINE;
}

#endif
