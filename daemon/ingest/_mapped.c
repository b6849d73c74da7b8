/* Stretches of a file as they lie in the kernel's memory: what is read once need not be copied first.
 *
 * Rule 1: a process does not die of a file. Where one is cut under a mapping, or its disk fails, the kernel sends SIGBUS to
 *         whoever touches the page. The handler here puts zeros in the place of what cannot be had, to the end of the
 *         stretch, and notes it: `failed()` says so, and the reader must ask before it believes what it read.
 * Rule 2: a SIGBUS of any other cause goes to whoever handled them before (Python's faulthandler, or death), and not twice.
 * Rule 3: a stretch stays mapped as long as anybody holds a view of it.
 *
 * The table of stretches is the process's, because a signal handler is: it has no other way to know them.
 *
 * Stable ABI of Python 3.11.
 */

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PLACES = 32 }; /* stretches at a time; a reader needs one, and the next before the last is let go */

typedef struct {
    atomic_uintptr_t begin; /* 0: free */
    atomic_size_t size;     /* whole pages */
    atomic_int failed;
} Place;

static Place places[PLACES];
static struct sigaction before;         /* who handled SIGBUS before us */
static volatile sig_atomic_t passed_on; /* whether one went there already */

static uintptr_t page_size(void) { return (uintptr_t)sysconf(_SC_PAGESIZE); }

/* Put zeros from the page of `at` to the end of the stretch that has it; 0 where none has, or they cannot be had. */
static int mend(uintptr_t at) {
    for (int i = 0; i < PLACES; i++) {
        uintptr_t begin = atomic_load(&places[i].begin), size = atomic_load(&places[i].size);
        if (!begin || at - begin >= size)
            continue;
        uintptr_t page = at & ~(page_size() - 1);
        atomic_store(&places[i].failed, 1);
        return mmap((void *)page, begin + size - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
    }
    return 0;
}

static void on_bus(int number, siginfo_t *info, void *context) {
    int kept = errno;
    (void)context;
    if (info->si_code <= 0 || !mend((uintptr_t)info->si_addr)) {
        /* Not ours: what was touched is touched again when we return, and whoever was here before us sees it. One that
         * then puts us back in its place and raises the signal anew, as faulthandler does, finds death here. */
        struct sigaction death = {.sa_handler = SIG_DFL};
        sigaction(number, passed_on ? &death : &before, NULL);
        passed_on = 1;
        if (info->si_code <= 0) /* sent, not met: it would not come again by itself */
            raise(number);
    }
    errno = kept;
}

/* See to it that SIGBUS comes here; -1 with an exception set. */
static int stand_by(void) {
    struct sigaction now, ours = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (sigaction(SIGBUS, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_bus)
        return 0;
    before = now;
    if (sigaction(SIGBUS, &ours, NULL) == 0)
        return 0;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

typedef struct {
    PyObject_HEAD
    Place *place; /* NULL: nothing is mapped */
    char *at;
    Py_ssize_t size;
} Stretch;

/* A free place, taken for a mapping; NULL where there is none. Under the GIL: only the handler looks on. */
static Place *take_place(uintptr_t begin, size_t size) {
    for (int i = 0; i < PLACES; i++)
        if (!atomic_load(&places[i].begin)) {
            atomic_store(&places[i].size, size);
            atomic_store(&places[i].failed, 0);
            atomic_store(&places[i].begin, begin);
            return &places[i];
        }
    return NULL;
}

static int map_stretch(Stretch *self, int descriptor, long long offset, Py_ssize_t size) {
    size_t lead = (size_t)((unsigned long long)offset % page_size());
    size_t whole = (lead + (size_t)size + page_size() - 1) / page_size() * page_size();
    char *begin = mmap(NULL, whole, PROT_READ, MAP_SHARED, descriptor, (off_t)offset - (off_t)lead);
    if (begin == MAP_FAILED) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    self->place = take_place((uintptr_t)begin, whole);
    self->at = begin + lead;
    self->size = size;
    if (self->place)
        return 0;
    munmap(begin, whole);
    PyErr_SetString(PyExc_OSError, "too many stretches of files are mapped");
    return -1;
}

static PyObject *stretch_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    int descriptor;
    long long offset;
    Py_ssize_t size;
    if (keywords && PyDict_Size(keywords))
        return PyErr_Format(PyExc_TypeError, "Stretch takes no keywords");
    if (!PyArg_ParseTuple(arguments, "iLn:Stretch", &descriptor, &offset, &size))
        return NULL;
    if (offset < 0 || size < 1 || size > PY_SSIZE_T_MAX / 2)
        return PyErr_Format(PyExc_ValueError, "not a stretch of a file");
    if (stand_by() < 0)
        return NULL;
    Stretch *self = (Stretch *)PyType_GenericAlloc(type, 0); /* zeroed */
    if (self && map_stretch(self, descriptor, offset, size) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void stretch_dealloc(Stretch *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    if (self->place) {
        void *begin = (void *)atomic_exchange(&self->place->begin, 0); /* what is mapped there next is not ours */
        munmap(begin, atomic_load(&self->place->size));
    }
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static int stretch_buffer(Stretch *self, Py_buffer *view, int flags) {
    return PyBuffer_FillInfo(view, (PyObject *)self, self->at, self->size, 1, flags);
}

static PyObject *stretch_failed(Stretch *self, PyObject *unused) {
    (void)unused;
    return PyBool_FromLong(atomic_load(&self->place->failed));
}

static PyMethodDef METHODS[] = {
    {"failed", (PyCFunction)stretch_failed, METH_NOARGS, "failed(): whether a part of what was read of it was not there."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, "Stretch(descriptor, offset, size): so many bytes of an open file, to be read through the buffer protocol."},
    {Py_tp_new, stretch_new},
    {Py_tp_dealloc, stretch_dealloc},
    {Py_tp_methods, METHODS},
    {Py_bf_getbuffer, stretch_buffer},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "daemon.ingest._mapped.Stretch",
    .basicsize = sizeof(Stretch),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = SLOTS,
};

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &SPEC, NULL);
    int failed = !type || PyModule_AddObjectRef(module, "Stretch", type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot MODULE_SLOTS[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.ingest._mapped",
    .m_doc = "Stretches of files, mapped; see daemon/ingest/pane.py.",
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit__mapped(void) { return PyModuleDef_Init(&MODULE); }
