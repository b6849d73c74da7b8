/* Arguments of the walks: arrays of known types and lengths, through the buffer protocol. */

#ifndef HOMEPORT_DECODE_WALK_ARRAYS_H
#define HOMEPORT_DECODE_WALK_ARRAYS_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const char *name;
    const char *formats; /* struct codes that mean this type, of which `size` picks one */
    size_t size;         /* bytes of an item */
    int writable;
} Array;

#define SIGNED "bhilq"
#define UNSIGNED "BHILQ"

static void release(Py_buffer *views, int count) {
    while (count--)
        PyBuffer_Release(&views[count]);
}

/* Whether a view is a plain array of the type, with `length` items; any number of them where `length` is negative. */
static int fits(const Py_buffer *view, const Array *array, Py_ssize_t length) {
    const char *format = view->format;
    if (view->ndim != 1 || (size_t)view->itemsize != array->size || (uintptr_t)view->buf % array->size)
        return 0;
    if (!format || !format[0] || format[1] || !strchr(array->formats, format[0]))
        return 0;
    return length < 0 || view->shape[0] == length;
}

/* Views of `count` arrays, all with as many items as the first, or as `lengths` says of each where it is given. */
static int open_arrays(PyObject *const *args, const Array *arrays, int count, const Py_ssize_t *lengths, Py_buffer *views) {
    for (int i = 0; i < count; i++) {
        int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (arrays[i].writable ? PyBUF_WRITABLE : 0);
        Py_ssize_t length = lengths && lengths[i] >= 0 ? lengths[i] : i ? views[0].shape[0] : -1;
        if (PyObject_GetBuffer(args[i], &views[i], flags) < 0) {
            release(views, i);
            return -1;
        }
        if (!fits(&views[i], &arrays[i], length)) {
            PyErr_Format(PyExc_ValueError, "%s: wrong type or length", arrays[i].name);
            release(views, i + 1);
            return -1;
        }
    }
    return 0;
}

#endif
