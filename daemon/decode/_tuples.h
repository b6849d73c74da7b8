/* Tuples, and NamedTuples, out of their items. */

#ifndef HOMEPORT_DECODE_TUPLES_H
#define HOMEPORT_DECODE_TUPLES_H

#include <Python.h>

/* Put items, whose references it takes, into a new tuple, which it takes too; NULL where one of all these is NULL. */
static PyObject *fill_tuple(PyObject *tuple, PyObject *const *items, Py_ssize_t count)
{
    int failed = !tuple;
    for (Py_ssize_t i = 0; i < count; i++) {
        failed = failed || !items[i];
        if (tuple && items[i])
            PyTuple_SetItem(tuple, i, items[i]);
        else
            Py_XDECREF(items[i]);
    }
    if (failed)
        Py_CLEAR(tuple);
    return tuple;
}

/* A tuple of these, whose references it takes, or NULL where one of them is NULL. Py_BuildValue takes thrice as long. */
static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    return fill_tuple(PyTuple_New(count), items, count);
}

/* A NamedTuple of this class with the fields of `row`, whose reference it takes, or NULL. Facts are in no cycle, and there
   are many of them: the collector need not look at each again and again. */
static PyObject *named_tuple(PyObject *type, PyObject *row)
{
    newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    PyObject *const items[] = {row};
    PyObject *arguments = row ? tuple_of(items, 1) : NULL;
    PyObject *made = arguments ? make((PyTypeObject *)type, arguments, NULL) : NULL;
    Py_XDECREF(arguments);
    if (made)
        PyObject_GC_UnTrack(made);
    return made;
}

enum { HASH_KEPT = 0x030E0000 }; /* from this version on a tuple keeps its hash, which only its own maker sets up */

/* The same from its items, as `tuple_of` takes them: not by way of a plain tuple, where Python allows that. The class must
   extend the tuple. */
static PyObject *fact_of(PyObject *type, PyObject *const *items, Py_ssize_t count)
{
    if (Py_Version >= HASH_KEPT)
        return named_tuple(type, tuple_of(items, count));
    PyObject *made = fill_tuple(PyType_GenericAlloc((PyTypeObject *)type, count), items, count);
    if (made)
        PyObject_GC_UnTrack(made);
    return made;
}

#endif
