/* Facts as values to bind: the twin of the plain functions in daemon/store/rows.py, which are its oracle.

   Rule 1: facts are tuples with the fields of daemon/flow/facts.py, in their order; any other shape is a TypeError.
   Rule 2: a name or kind that is not known is asked for as Python would (`__missing__`); what holds the facts is kept
           alive meanwhile, and its length is looked at anew before each of them.
   Rule 3: no state. The functions answer 0, or -1 with an exception set, where they have nothing else to answer.

   Stable ABI of Python 3.11. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <stdint.h>

enum { FLOW_FIELDS = 18, HELLO_FIELDS = 18, DNS_FIELDS = 10, RECORD_FIELDS = 5 };
enum { FLOW_WIDTH = 18, HELLO_WIDTH = 18, MESSAGE_WIDTH = 13, RECORD_WIDTH = 7 };

/* --- rows, several in one tuple --- */

typedef struct {
    PyObject *pieces; /* a list; owned */
    PyObject *piece; /* a tuple that is being filled, or NULL; owned, and seen by nobody else */
    Py_ssize_t filled, most; /* values in it, and room */
} Pieces;

static int pieces_open(Pieces *pieces, Py_ssize_t rows, Py_ssize_t width)
{
    *pieces = (Pieces){PyList_New(0), NULL, 0, rows * width};
    if (rows < 1 || rows > 1000) {
        PyErr_SetString(PyExc_ValueError, "a piece has 1 to 1000 rows");
        return -1;
    }
    return pieces->pieces ? 0 : -1;
}

/* Put the piece at hand into the list, cut to what is in it. */
static int pieces_turn(Pieces *pieces)
{
    PyObject *piece = pieces->piece;
    if (pieces->filled < pieces->most) {
        piece = PyTuple_GetSlice(pieces->piece, 0, pieces->filled);
        Py_DECREF(pieces->piece);
    }
    pieces->piece = NULL;
    pieces->filled = 0;
    int failed = !piece || PyList_Append(pieces->pieces, piece);
    Py_XDECREF(piece);
    return failed ? -1 : 0;
}

/* Add a row, whose references it takes; NULL among them is a failure. */
static int pieces_add(Pieces *pieces, PyObject *const *row, int width)
{
    if (!pieces->piece)
        pieces->piece = PyTuple_New(pieces->most);
    int failed = !pieces->piece;
    for (int i = 0; i < width; i++) {
        failed = failed || !row[i];
        if (pieces->piece && row[i])
            PyTuple_SetItem(pieces->piece, pieces->filled + i, row[i]);
        else
            Py_XDECREF(row[i]);
    }
    pieces->filled += width;
    if (!failed && pieces->filled >= pieces->most)
        failed = pieces_turn(pieces);
    return failed ? -1 : 0;
}

/* The pieces, the last one too; NULL where something failed. Nothing is left of `pieces`. */
static PyObject *pieces_close(Pieces *pieces, int failed)
{
    if (!failed && pieces->filled)
        failed = pieces_turn(pieces);
    Py_CLEAR(pieces->piece);
    if (failed)
        Py_CLEAR(pieces->pieces);
    return pieces->pieces;
}

/* --- fields; borrowed where nothing else is said --- */

/* A tuple of so many fields out of a list, a reference of the caller's own. */
static PyObject *fact_of(PyObject *list, Py_ssize_t at, Py_ssize_t fields)
{
    PyObject *fact = PyList_GetItem(list, at);
    if (!fact)
        return NULL;
    if (PyTuple_Check(fact) && PyTuple_Size(fact) == fields)
        return Py_NewRef(fact);
    PyErr_SetString(PyExc_TypeError, "not a fact of this kind");
    return NULL;
}

static PyObject *own(PyObject *fact, Py_ssize_t field) { return Py_NewRef(PyTuple_GetItem(fact, field)); }

/* The field, or 0 where it is None; a new reference. */
static PyObject *or_zero(PyObject *fact, Py_ssize_t field)
{
    PyObject *value = PyTuple_GetItem(fact, field);
    return value == Py_None ? PyLong_FromLong(0) : Py_NewRef(value);
}

/* The id of the end whose number stands in a field; a new reference. */
static PyObject *end_of(PyObject *fact, Py_ssize_t field, PyObject *ends)
{
    Py_ssize_t number = PyLong_AsSsize_t(PyTuple_GetItem(fact, field));
    if (number == -1 && PyErr_Occurred())
        return NULL;
    PyObject *id = PyList_GetItem(ends, number); /* IndexError where there is no such end, as numbers are never negative */
    return Py_XNewRef(id);
}

/* What a mapping says of a key; a new reference. */
static PyObject *found(PyObject *mapping, PyObject *key)
{
    PyObject *value = PyDict_GetItemWithError(mapping, key);
    if (value)
        return Py_NewRef(value);
    return PyErr_Occurred() ? NULL : PyObject_GetItem(mapping, key);
}

/* base + number; a new reference. */
static PyObject *id_of(PyObject *fact, long long base)
{
    long long number = PyLong_AsLongLong(PyTuple_GetItem(fact, 0));
    if (number == -1 && PyErr_Occurred())
        return NULL;
    if (number < 0 || number > INT64_MAX - base) {
        PyErr_SetString(PyExc_OverflowError, "not the number of a flow");
        return NULL;
    }
    return PyLong_FromLongLong(base + number);
}

/* --- flows and hellos --- */

enum { LATELY = 64 }; /* kinds; a power of two */

/* Kinds found lately, by identity: a kind is a tuple whose hash takes longer than all else here. */
typedef struct {
    PyObject *kind, *id; /* owned; NULL where there is none yet */
} Lately;

static PyObject *kind_id(Lately *lately, PyObject *kinds, PyObject *kind)
{
    Lately *known = &lately[((uintptr_t)kind >> 4 ^ (uintptr_t)kind >> 10) & (LATELY - 1)];
    if (known->kind != kind) {
        PyObject *id = found(kinds, kind);
        if (!id)
            return NULL;
        Py_XDECREF(known->kind), Py_XDECREF(known->id);
        *known = (Lately){Py_NewRef(kind), id};
    }
    return Py_NewRef(known->id);
}

static int add_flow(Pieces *pieces, PyObject *flow, long long base, Lately *lately, PyObject *kinds, PyObject *ends,
                    PyObject *names)
{
    PyObject *name = PyTuple_GetItem(flow, 6);
    int named = PyObject_IsTrue(name);
    PyObject *row[FLOW_WIDTH] = {
        id_of(flow, base), kind_id(lately, kinds, PyTuple_GetItem(flow, 1)), end_of(flow, 2, ends), end_of(flow, 3, ends),
        own(flow, 4), own(flow, 5), named < 0 ? NULL : named ? found(names, name) : PyLong_FromLong(0), or_zero(flow, 7),
    };
    for (int i = 8; i < FLOW_WIDTH; i++)
        row[i] = own(flow, i);
    return pieces_add(pieces, row, FLOW_WIDTH);
}

static PyObject *flows(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *list, *kinds, *ends, *names;
    Py_ssize_t rows;
    long long base;
    Pieces pieces;
    Lately lately[LATELY] = {{NULL, NULL}};
    if (!PyArg_ParseTuple(arguments, "O!nLO!O!O!:flows", &PyList_Type, &list, &rows, &base, &PyDict_Type, &kinds,
                          &PyList_Type, &ends, &PyDict_Type, &names))
        return NULL;
    int failed = pieces_open(&pieces, rows, FLOW_WIDTH);
    for (Py_ssize_t at = 0; !failed && at < PyList_Size(list); at++) {
        PyObject *flow = fact_of(list, at, FLOW_FIELDS);
        failed = !flow || add_flow(&pieces, flow, base, lately, kinds, ends, names);
        Py_XDECREF(flow);
    }
    for (int i = 0; i < LATELY; i++) {
        Py_XDECREF(lately[i].kind);
        Py_XDECREF(lately[i].id);
    }
    return pieces_close(&pieces, failed);
}

static int add_hello(Pieces *pieces, PyObject *hello, long long base, PyObject *ends, PyObject *names)
{
    PyObject *name = PyTuple_GetItem(hello, 8);
    PyObject *row[HELLO_WIDTH] = {
        id_of(hello, base), own(hello, 1), own(hello, 2), end_of(hello, 3, ends), own(hello, 4), end_of(hello, 5, ends),
        own(hello, 6), own(hello, 7), name == Py_None ? PyLong_FromLong(0) : found(names, name),
    };
    for (int i = 9; i < HELLO_WIDTH; i++)
        row[i] = or_zero(hello, i);
    return pieces_add(pieces, row, HELLO_WIDTH);
}

static PyObject *hellos(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *list, *ends, *names;
    Py_ssize_t rows;
    long long base;
    Pieces pieces;
    if (!PyArg_ParseTuple(arguments, "O!nLO!O!:hellos", &PyList_Type, &list, &rows, &base, &PyList_Type, &ends,
                          &PyDict_Type, &names))
        return NULL;
    int failed = pieces_open(&pieces, rows, HELLO_WIDTH);
    for (Py_ssize_t at = 0; !failed && at < PyList_Size(list); at++) {
        PyObject *hello = fact_of(list, at, HELLO_FIELDS);
        failed = !hello || add_hello(&pieces, hello, base, ends, names);
        Py_XDECREF(hello);
    }
    return pieces_close(&pieces, failed);
}

/* --- DNS --- */

/* What the functions below share. */
typedef struct {
    Pieces messages, records;
    long long first, least_us, most_us, second_us;
    PyObject *capture, *ends, *names;
} Told;

static int is_word(PyObject *text, const char *word)
{
    return PyUnicode_Check(text) && !PyUnicode_CompareWithASCIIString(text, word);
}

/* Of an answer's type: 1 an address, 2 an alias, 4 a service record, 0 anything else. */
static int use_of(PyObject *type)
{
    return is_word(type, "A") || is_word(type, "AAAA")       ? 1
           : is_word(type, "CNAME")                          ? 2
           : is_word(type, "HTTPS") || is_word(type, "SVCB") ? 4
                                                             : 0;
}

/* A record of a message: a tuple of five; NULL with an exception set. Borrowed. */
static PyObject *record_of(PyObject *records, Py_ssize_t at)
{
    PyObject *record = PyTuple_GetItem(records, at);
    if (record && PyTuple_Check(record) && PyTuple_Size(record) == RECORD_FIELDS)
        return record;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "not a record");
    return NULL;
}

/* _holds() of rows.py: until when (0: never), and what leads on. */
static int holds(const Told *told, PyObject *message, PyObject *records, long long *until_us, long *leads)
{
    PyObject *transport = PyTuple_GetItem(message, 3);
    long long most = -1;
    int uses = 0;
    *until_us = *leads = 0;
    if (!is_word(transport, "udp") && !is_word(transport, "tcp"))
        return 0;
    for (Py_ssize_t at = 0; at < PyTuple_Size(records); at++) {
        PyObject *record = record_of(records, at);
        if (!record)
            return -1;
        int use = is_word(PyTuple_GetItem(record, 0), "answer") ? use_of(PyTuple_GetItem(record, 2)) : 0;
        long long ttl = use ? PyLong_AsLongLong(PyTuple_GetItem(record, 3)) : -1;
        if (use && ttl == -1 && PyErr_Occurred())
            return -1;
        uses |= use;
        most = ttl > most ? ttl : most;
    }
    if (most < 0)
        return 0;
    long long seen_us = PyLong_AsLongLong(PyTuple_GetItem(message, 0));
    if (seen_us == -1 && PyErr_Occurred())
        return -1;
    long long lasts_us = most > told->most_us / told->second_us ? told->most_us : most * told->second_us;
    lasts_us = lasts_us < told->least_us ? told->least_us : lasts_us;
    if (seen_us > INT64_MAX - lasts_us) {
        PyErr_SetString(PyExc_OverflowError, "a time too late for the database");
        return -1;
    }
    *until_us = seen_us + lasts_us;
    *leads = !(uses & 1) ? 1 : uses & 4 ? 2 : 0;
    return 0;
}

static int add_message(Told *told, PyObject *message, long long id)
{
    PyObject *records = PyTuple_GetItem(message, 9);
    if (!PyTuple_Check(records)) {
        PyErr_SetString(PyExc_TypeError, "records are a tuple");
        return -1;
    }
    int response = PyObject_IsTrue(PyTuple_GetItem(message, 4)), answers = PyObject_IsTrue(PyTuple_GetItem(message, 8));
    long long until_us = 0;
    long leads = 0;
    if (response < 0 || answers < 0 || (answers && holds(told, message, records, &until_us, &leads)))
        return -1;
    PyObject *const row[MESSAGE_WIDTH] = {
        PyLong_FromLongLong(id), Py_NewRef(told->capture), own(message, 0), end_of(message, 1, told->ends),
        end_of(message, 2, told->ends), own(message, 3), PyLong_FromLong(response),
        found(told->names, PyTuple_GetItem(message, 5)), own(message, 6), or_zero(message, 7), own(message, 8),
        PyLong_FromLongLong(until_us), PyLong_FromLong(leads),
    };
    return pieces_add(&told->messages, row, MESSAGE_WIDTH);
}

static int add_records(Told *told, PyObject *message, long long id)
{
    PyObject *records = PyTuple_GetItem(message, 9);
    for (Py_ssize_t at = 0; at < PyTuple_Size(records); at++) {
        PyObject *record = record_of(records, at);
        if (!record)
            return -1;
        PyObject *const row[RECORD_WIDTH] = {
            PyLong_FromLongLong(id), PyLong_FromSsize_t(at), own(record, 0), found(told->names, PyTuple_GetItem(record, 1)),
            own(record, 2), own(record, 3), own(record, 4),
        };
        if (pieces_add(&told->records, row, RECORD_WIDTH))
            return -1;
    }
    return 0;
}

static PyObject *dns(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *list;
    Py_ssize_t rows;
    Told told;
    if (!PyArg_ParseTuple(arguments, "O!nLOO!O!(LLL):dns", &PyList_Type, &list, &rows, &told.first, &told.capture,
                          &PyList_Type, &told.ends, &PyDict_Type, &told.names, &told.least_us, &told.most_us,
                          &told.second_us))
        return NULL;
    if (told.second_us < 1 || told.first < 0 || told.first > INT64_MAX - PyList_Size(list))
        return PyErr_Format(PyExc_ValueError, "times and numbers are positive");
    int failed = pieces_open(&told.messages, rows, MESSAGE_WIDTH);
    failed = pieces_open(&told.records, rows, RECORD_WIDTH) || failed;
    for (Py_ssize_t at = 0; !failed && at < PyList_Size(list); at++) {
        PyObject *message = fact_of(list, at, DNS_FIELDS);
        failed = !message || add_message(&told, message, told.first + at);
        Py_XDECREF(message);
    }
    for (Py_ssize_t at = 0; !failed && at < PyList_Size(list); at++) { /* behind them, so that names are met in their order */
        PyObject *message = fact_of(list, at, DNS_FIELDS);
        failed = !message || add_records(&told, message, told.first + at);
        Py_XDECREF(message);
    }
    PyObject *messages = pieces_close(&told.messages, failed);
    PyObject *records = pieces_close(&told.records, failed || !messages);
    PyObject *both = records ? PyTuple_Pack(2, messages, records) : NULL;
    Py_XDECREF(messages), Py_XDECREF(records);
    return both;
}

static PyMethodDef METHODS[] = {
    {"flows", flows, METH_VARARGS, "flows(flows, rows, base, kinds, ends, names): pieces of so many rows."},
    {"hellos", hellos, METH_VARARGS, "hellos(hellos, rows, base, ends, names): likewise."},
    {"dns", dns, METH_VARARGS, "dns(messages, rows, first, capture, ends, names, (least, most, second)): messages, records."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot MODULE_SLOTS[] = {{0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.store._rows",
    .m_doc = "Facts as values to bind; see daemon/store/rows.py.",
    .m_methods = METHODS,
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit__rows(void)
{
    return PyModuleDef_Init(&MODULE);
}
