/* Facts as rows of cells (`_packed.h`), which Python sees as a sequence of NamedTuples that are made when they are asked for.

   Rule 1: it is a list as far as facts need one: append, extend, length, items by their place, and equal to a list of the
           same facts.
   Rule 2: while the rows are lent to code in C, none may come (BufferError).
   Rule 3: facts are in no cycle, so the collector of garbage does not look at them. */

#ifndef HOMEPORT_FLOW_CORE_PACKED_H
#define HOMEPORT_FLOW_CORE_PACKED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "../decode/_tuples.h"
#include "_packed.h"

static void packed_dealloc(Packed *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    for (Py_ssize_t at = 0; at < self->count; at++)
        for (int i = 0; i < self->width; i++)
            if (self->shape[i] == 'o')
                Py_DECREF(packed_row(self, at)[i].object);
    PyMem_Free(self->cells);
    Py_XDECREF((PyObject *)self->fact);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* The rows that an object is; NULL where it is something else. There are no subclasses. */
static Packed *packed_of(PyObject *object)
{
    return PyType_GetSlot(Py_TYPE(object), Py_tp_dealloc) == (void *)packed_dealloc ? (Packed *)object : NULL;
}

/* Room for one more row, which is there once `packed_add` was called; NULL with an exception set. */
static Cell *packed_room(Packed *self)
{
    if (self->lent) {
        PyErr_SetString(PyExc_BufferError, "the facts are being read");
        return NULL;
    }
    if (self->count == self->room) {
        Py_ssize_t room = self->room ? 2 * self->room : 64;
        Cell *cells = PyMem_Realloc(self->cells, (size_t)room * (size_t)self->width * sizeof *cells);
        if (!cells) {
            PyErr_NoMemory();
            return NULL;
        }
        self->cells = cells;
        self->room = room;
    }
    return packed_row(self, self->count);
}

static int is_of(const Packed *self, const char *shape)
{
    if (!strcmp(self->shape, shape))
        return 1;
    PyErr_SetString(PyExc_TypeError, "packed facts are of another shape");
    return 0;
}

static PyObject *packed_append(Packed *self, PyObject *fact)
{
    Cell *row = packed_room(self);
    if (!row || read_cells(self->shape, fact, row, self->width))
        return NULL;
    for (int i = 0; i < self->width; i++)
        if (self->shape[i] == 'o')
            Py_INCREF(row[i].object);
    self->count++;
    Py_RETURN_NONE;
}

static PyObject *cell_object(char letter, const Cell *cell)
{
    if (letter == 'o')
        return Py_NewRef(cell->object);
    if (letter == 'b')
        return PyBool_FromLong((long)cell->number);
    return cell->number == NO_NUMBER ? Py_NewRef(Py_None) : PyLong_FromLongLong(cell->number);
}

/* A fact of this class, or a plain tuple where it is NULL, of what the cells hold. */
static PyObject *fact_of_cells(PyObject *type, const char *shape, const Cell *cells)
{
    PyObject *items[MOST_CELLS];
    int width = (int)strlen(shape);
    for (int i = 0; i < width; i++)
        items[i] = cell_object(shape[i], cells + i);
    return type ? fact_of(type, items, width) : tuple_of(items, width);
}

/* Add the fact that has these cells, whose objects it takes (NULL: they could not be made), to a list or to packed rows. */
static int add_cells(PyObject *facts, PyObject *type, const char *shape, const Cell *cells)
{
    Packed *rows = packed_of(facts);
    int width = (int)strlen(shape), whole = !rows || is_of(rows, shape);
    for (int i = 0; i < width; i++)
        whole = whole && (shape[i] != 'o' || cells[i].object);
    Cell *row = rows && whole ? packed_room(rows) : NULL;
    if (row) {
        memcpy(row, cells, (size_t)width * sizeof *cells);
        rows->count++;
        return 0;
    }
    PyObject *fact = !rows && whole ? fact_of_cells(type, shape, cells) : NULL;
    int failed = !fact || PyList_Append(facts, fact);
    Py_XDECREF(fact);
    for (int i = 0; i < width; i++)
        if (shape[i] == 'o')
            Py_XDECREF(cells[i].object);
    return failed ? -1 : 0;
}

static PyObject *packed_extend(Packed *self, PyObject *facts)
{
    PyObject *items = PyObject_GetIter(facts), *fact;
    while (items && (fact = PyIter_Next(items))) {
        PyObject *done = packed_append(self, fact);
        Py_DECREF(fact);
        if (!done)
            Py_CLEAR(items);
        Py_XDECREF(done);
    }
    Py_XDECREF(items);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static Py_ssize_t packed_length(Packed *self)
{
    return self->count;
}

static PyObject *packed_item(Packed *self, Py_ssize_t at)
{
    if (at < 0 || at >= self->count) {
        PyErr_SetString(PyExc_IndexError, "there are not so many facts");
        return NULL;
    }
    return fact_of_cells((PyObject *)self->fact, self->shape, packed_row(self, at));
}

static PyObject *packed_compare(PyObject *self, PyObject *other, int how)
{
    if ((how != Py_EQ && how != Py_NE) || !(PyList_Check(other) || packed_of(other)))
        return Py_NewRef(Py_NotImplemented);
    PyObject *ours = PySequence_List(self), *theirs = ours ? PySequence_List(other) : NULL;
    PyObject *answer = theirs ? PyObject_RichCompare(ours, theirs, how) : NULL;
    Py_XDECREF(ours), Py_XDECREF(theirs);
    return answer;
}

/* For code in C: it has the rows as long as it has them lent, and the object. */
static PyObject *packed_rows(Packed *self, void *unused)
{
    (void)unused;
    return PyCapsule_New(self, PACKED, NULL);
}

static PyObject *packed_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *fact;
    const char *shape;
    Py_ssize_t width;
    if (keywords && PyDict_Size(keywords))
        return PyErr_Format(PyExc_TypeError, "Packed takes no keywords");
    if (!PyArg_ParseTuple(arguments, "O!s#:Packed", &PyType_Type, &fact, &shape, &width))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)fact, &PyTuple_Type))
        return PyErr_Format(PyExc_TypeError, "facts are tuples");
    if (!width || width > MOST_CELLS || strspn(shape, "inbo") != (size_t)width)
        return PyErr_Format(PyExc_ValueError, "not the shape of a fact");
    Packed *self = (Packed *)PyType_GenericAlloc(type, 0); /* zeroed */
    if (!self)
        return NULL;
    memcpy(self->shape, shape, (size_t)width);
    self->width = (int)width;
    self->fact = (PyTypeObject *)Py_NewRef(fact);
    return (PyObject *)self;
}

static PyMethodDef PACKED_METHODS[] = {
    {"append", (PyCFunction)packed_append, METH_O, "append(fact): add a fact."},
    {"extend", (PyCFunction)packed_extend, METH_O, "extend(facts): add several."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef PACKED_PROPERTIES[] = {
    {"rows", (getter)packed_rows, NULL, "the rows, for code in C", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot PACKED_SLOTS[] = {
    {Py_tp_doc, "Packed(fact, shape): facts of one kind, as a sequence of tuples of the class `fact`."},
    {Py_tp_new, packed_new},
    {Py_tp_dealloc, packed_dealloc},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_richcompare, packed_compare},
    {Py_tp_methods, PACKED_METHODS},
    {Py_tp_getset, PACKED_PROPERTIES},
    {Py_sq_length, packed_length},
    {Py_sq_item, packed_item},
    {0, NULL},
};

static PyType_Spec PACKED_SPEC = {
    .name = "daemon.flow._core.Packed",
    .basicsize = sizeof(Packed),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = PACKED_SLOTS,
};

#endif
