/* A batch of facts as an SQLite database, whose rows are those of daemon/store/rows.py, which is the oracle.

   Rule 1: facts have the fields of daemon/flow/facts.py, in their order (`_rows_source.h`); any other shape is a TypeError.
           Those with numbers come in their order; of facts with the same number the last one holds.
   Rule 2: a name or kind that is not known is asked for as Python would (`__missing__`); what holds the facts is kept
           alive meanwhile, and its length is looked at anew before each of them.
   Rule 3: on values too long for a page, or rows too many, there is no image (None), and the rows are written plainly.
   Rule 4: no state. What copies an image trusts it, so what SQLite would have checked is checked here: types, and NULL.

   Stable ABI of Python 3.11. */

#include "_rows_fields.h"
#include "_rows_pages.h"
#include "_rows_source.h"
#include <stdlib.h>

enum { FLOW_FIELDS = 18, HELLO_FIELDS = 18 };
enum { FLOW, CROWDS, HEADS, HELLO, MESSAGE, SEEN, LASTS, RECORD, ROOTS }; /* as the schema that is given has them */

typedef struct {
    long long at_us, leads, id;
} Time; /* of a message, for its indexes */

typedef struct {
    Time *times; /* of PyMem */
    Py_ssize_t count, room;
} Times;

/* What the functions below share. */
typedef struct {
    Source flows, hellos, messages;
    PyObject *schema, *kinds, *names; /* a tuple, and dicts */
    long long *ends; /* ids by number; of PyMem */
    Py_ssize_t end_count;
    long long base, first, capture, least_us, most_us, second_us;
    Image image;
    Times seen, lasts;
    Tree tree;
    Record record;
    uint32_t roots[ROOTS];
} Told;

static int tree_end(Told *told, int root)
{
    int state = tree_close(&told->tree);
    told->roots[root] = told->tree.root;
    return state;
}

/* --- flows and hellos --- */

static void put_flow(Told *told, Lately *lately, const Cell *flow)
{
    Record *record = &told->record;
    PyObject *name = flow[6].object;
    int named = PyObject_IsTrue(name);
    record_open(record);
    record->state = named < 0 ? FAILED : FINE;
    put_null(record); /* the id, which is the key */
    put_kind(record, lately, told->kinds, flow[1].object);
    put_end(record, told->ends, told->end_count, flow[2].number);
    put_end(record, told->ends, told->end_count, flow[3].number);
    put_number_or_null(record, flow[4].number);
    put_number_or_null(record, flow[5].number);
    if (named)
        put_name(record, told->names, name);
    else
        put_null(record);
    put_text_or_null(record, flow[7].object);
    put_text(record, flow[8].object);
    for (int field = 9; field < FLOW_FIELDS; field++)
        put_number(record, flow[field].number);
    put_number(record, 1), put_number(record, 0); /* labels of a row that nobody has judged: count, turned */
    for (int label = 0; label < 4; label++)
        put_null(record);
    put_number(record, 0); /* cover */
}

static int add_flows(Told *told)
{
    Lately lately[LATELY] = {{NULL, NULL}};
    int state = FINE;
    tree_open(&told->tree, &told->image, 0);
    for (Py_ssize_t at = 0; !state && at < source_count(&told->flows); at++) {
        const Cell *flow = source_at(&told->flows, at);
        int again = flow ? said_again(&told->flows, at, flow) : FAILED;
        long long id = again ? 0 : id_of(flow, told->base);
        if (!again && id >= 0)
            put_flow(told, lately, flow);
        state = again < 0 || id < 0 ? FAILED : again ? FINE : tree_add(&told->tree, &told->record, id);
    }
    for (int i = 0; i < LATELY; i++) {
        Py_XDECREF(lately[i].kind);
        Py_XDECREF(lately[i].id);
    }
    state = state ? state : tree_end(told, FLOW);
    for (int root = CROWDS; !state && root <= HEADS; root++) { /* indexes of labels: empty */
        tree_open(&told->tree, &told->image, 1);
        state = tree_end(told, root);
    }
    return state;
}

static void put_hello(Told *told, const Cell *hello, long long id)
{
    Record *record = &told->record;
    record_open(record);
    put_number(record, id);
    put_number(record, hello[1].number);
    put_number(record, hello[2].number);
    put_end(record, told->ends, told->end_count, hello[3].number);
    put_number_or_null(record, hello[4].number);
    put_end(record, told->ends, told->end_count, hello[5].number);
    put_number_or_null(record, hello[6].number);
    put_text(record, hello[7].object);
    if (hello[8].object == Py_None)
        put_null(record);
    else
        put_name(record, told->names, hello[8].object);
    for (int field = 9; field < HELLO_FIELDS; field++)
        put_text_or_null(record, hello[field].object);
}

static int add_hellos(Told *told)
{
    int state = FINE;
    tree_open(&told->tree, &told->image, 1);
    for (Py_ssize_t at = 0; !state && at < source_count(&told->hellos); at++) {
        const Cell *hello = source_at(&told->hellos, at);
        int again = hello ? said_again(&told->hellos, at, hello) : FAILED;
        long long id = again ? 0 : id_of(hello, told->base);
        if (!again && id >= 0)
            put_hello(told, hello, id);
        state = again < 0 || id < 0 ? FAILED : again ? FINE : tree_add(&told->tree, &told->record, 0);
    }
    return state ? state : tree_end(told, HELLO);
}

/* --- DNS --- */

/* _holds() of rows.py: until when (0: never), and what leads on. */
static int holds(const Told *told, const Cell *message, Time *until)
{
    PyObject *transport = message[3].object, *records = message[9].object;
    long long seen_us = message[0].number;
    long long most = -1;
    int uses = 0;
    if (!is_word(transport, "udp") && !is_word(transport, "tcp"))
        return FINE;
    for (Py_ssize_t at = 0; at < PyTuple_Size(records); at++) {
        PyObject *record = record_of(records, at);
        if (!record)
            return FAILED;
        int use = is_word(PyTuple_GetItem(record, 0), "answer") ? use_of(PyTuple_GetItem(record, 2)) : 0;
        long long ttl = use ? PyLong_AsLongLong(PyTuple_GetItem(record, 3)) : -1;
        if (use && ttl == -1 && PyErr_Occurred())
            return FAILED;
        uses |= use;
        most = ttl > most ? ttl : most;
    }
    if (most < 0)
        return FINE;
    long long lasts_us = most > told->most_us / told->second_us ? told->most_us : most * told->second_us;
    lasts_us = lasts_us < told->least_us ? told->least_us : lasts_us;
    if (seen_us > INT64_MAX - lasts_us) {
        PyErr_SetString(PyExc_OverflowError, "a time too late for the database");
        return FAILED;
    }
    until->at_us = seen_us + lasts_us;
    until->leads = !(uses & ADDRESS) ? 1 : uses & SERVICE ? 2 : 0;
    return FINE;
}

static int note(Times *times, Time time)
{
    if (times->count == times->room) {
        Py_ssize_t room = times->room ? 2 * times->room : 1024;
        Time *more = PyMem_Realloc(times->times, (size_t)room * sizeof *more);
        if (!more) {
            PyErr_NoMemory();
            return FAILED;
        }
        times->times = more;
        times->room = room;
    }
    times->times[times->count++] = time;
    return FINE;
}

static int add_message(Told *told, const Cell *message, long long id)
{
    Record *record = &told->record;
    Time until = {0, 0, id};
    if (!PyTuple_Check(message[9].object)) {
        PyErr_SetString(PyExc_TypeError, "records are a tuple");
        return FAILED;
    }
    if (message[8].number && holds(told, message, &until))
        return FAILED;
    record_open(record);
    put_null(record); /* the id, which is the key */
    put_number(record, told->capture);
    put_number(record, message[0].number);
    put_end(record, told->ends, told->end_count, message[1].number);
    put_end(record, told->ends, told->end_count, message[2].number);
    put_text(record, message[3].object);
    put_number(record, message[4].number);
    put_name(record, told->names, message[5].object);
    put_text(record, message[6].object);
    put_text_or_null(record, message[7].object);
    put_number(record, message[8].number);
    if (until.at_us)
        put_number(record, until.at_us);
    else
        put_null(record);
    put_number(record, until.leads);
    put_target(record, told->names, message);
    int state = tree_add(&told->tree, record, id);
    state = state ? state : note(&told->seen, (Time){message[0].number, 0, id});
    return state || !until.at_us ? state : note(&told->lasts, until);
}

static int earlier(const void *one, const void *other)
{
    const Time *a = one, *b = other;
    return a->at_us != b->at_us   ? (a->at_us < b->at_us ? -1 : 1)
           : a->leads != b->leads ? (a->leads < b->leads ? -1 : 1)
           : a->id != b->id       ? (a->id < b->id ? -1 : 1)
                                  : 0;
}

/* An index of messages: by time, or by time and what leads on. */
static int add_times(Told *told, Times *times, int root)
{
    int state = FINE;
    tree_open(&told->tree, &told->image, 1);
    Py_ssize_t ordered = 1;
    while (ordered < times->count && earlier(times->times + ordered - 1, times->times + ordered) < 0)
        ordered++;
    if (ordered < times->count) /* not so by themselves, as most messages come one after the other */
        qsort(times->times, (size_t)times->count, sizeof *times->times, earlier);
    for (Py_ssize_t at = 0; !state && at < times->count; at++) {
        const Time *time = times->times + at;
        record_open(&told->record);
        put_number(&told->record, time->at_us);
        if (root == LASTS)
            put_number(&told->record, time->leads);
        put_number(&told->record, time->id);
        state = tree_add(&told->tree, &told->record, 0);
    }
    return state ? state : tree_end(told, root);
}

static int add_records(Told *told, const Cell *message, long long id)
{
    Record *record = &told->record;
    PyObject *records = message[9].object;
    int state = FINE;
    if (!PyTuple_Check(records)) {
        PyErr_SetString(PyExc_TypeError, "records are a tuple");
        return FAILED;
    }
    for (Py_ssize_t at = 0; !state && at < PyTuple_Size(records); at++) {
        PyObject *said = record_of(records, at);
        if (!said)
            return FAILED;
        record_open(record);
        put_number(record, id);
        put_number(record, at);
        put_text(record, PyTuple_GetItem(said, 0));
        put_name(record, told->names, PyTuple_GetItem(said, 1));
        put_text(record, PyTuple_GetItem(said, 2));
        put_int(record, PyTuple_GetItem(said, 3));
        put_text(record, PyTuple_GetItem(said, 4));
        state = tree_add(&told->tree, record, 0);
    }
    return state;
}

/* Messages, or the records in them: all of one kind behind the other, so that names are met in their order. */
static int add_each(Told *told, int (*add)(Told *, const Cell *, long long))
{
    int state = FINE;
    for (Py_ssize_t at = 0; !state && at < source_count(&told->messages); at++) {
        const Cell *message = source_at(&told->messages, at);
        state = message ? add(told, message, told->first + at) : FAILED;
    }
    return state;
}

static int add_dns(Told *told)
{
    tree_open(&told->tree, &told->image, 0);
    int state = add_each(told, add_message);
    state = state ? state : tree_end(told, MESSAGE);
    state = state ? state : add_times(told, &told->seen, SEEN);
    state = state ? state : add_times(told, &told->lasts, LASTS);
    tree_open(&told->tree, &told->image, 1);
    state = state ? state : add_each(told, add_records);
    return state ? state : tree_end(told, RECORD);
}

/* --- the image --- */

static int fill_image(Told *told)
{
    int state = image_page(&told->image) ? FINE : FAILED; /* the schema's, which comes last */
    state = state ? state : add_flows(told);
    state = state ? state : add_hellos(told);
    state = state ? state : add_dns(told);
    return state ? state : put_schema(&told->image, told->schema, told->roots, ROOTS, &told->record);
}

/* The ids of ends as numbers. */
static int read_ends(Told *told, PyObject *ends)
{
    Py_ssize_t count = PyList_Size(ends);
    told->ends = PyMem_Malloc((size_t)(count ? count : 1) * sizeof *told->ends);
    if (!told->ends) {
        PyErr_NoMemory();
        return FAILED;
    }
    for (; told->end_count < count; told->end_count++) {
        long long id = PyLong_AsLongLong(PyList_GetItem(ends, told->end_count));
        if (id == -1 && PyErr_Occurred())
            return FAILED;
        told->ends[told->end_count] = id;
    }
    return FINE;
}

static int read_told(Told *told, PyObject *const facts[3], PyObject *ends)
{
    int state = source_open(&told->flows, facts[0], FLOW_SHAPE, 1);
    state = state ? state : source_open(&told->hellos, facts[1], HELLO_SHAPE, 2);
    state = state ? state : source_open(&told->messages, facts[2], DNS_SHAPE, 0);
    state = state ? state : read_ends(told, ends);
    if (!state && (told->second_us < 1 || told->first < 0 || told->first > INT64_MAX - source_count(&told->messages))) {
        PyErr_SetString(PyExc_ValueError, "times and numbers are positive");
        return FAILED;
    }
    return state;
}

static PyObject *image(PyObject *module, PyObject *arguments)
{
    (void)module;
    Told *told = PyMem_Calloc(1, sizeof *told);
    PyObject *made = NULL, *facts[3], *ends;
    if (!told)
        return PyErr_NoMemory();
    if (PyArg_ParseTuple(arguments, "O!(OOO)(LLL)(O!O!O!)(LLL):image", &PyTuple_Type, &told->schema, &facts[0], &facts[1],
                         &facts[2], &told->base, &told->first, &told->capture, &PyDict_Type, &told->kinds, &PyList_Type,
                         &ends, &PyDict_Type, &told->names, &told->least_us, &told->most_us, &told->second_us)) {
        int state = read_told(told, facts, ends);
        state = state ? state : fill_image(told);
        if (state == FINE)
            made = image_close(&told->image);
        else if (state == UNUSUAL)
            made = Py_NewRef(Py_None);
    }
    source_close(&told->flows), source_close(&told->hellos), source_close(&told->messages);
    Py_XDECREF(told->image.made);
    PyMem_Free(told->ends), PyMem_Free(told->seen.times), PyMem_Free(told->lasts.times);
    PyMem_Free(told);
    return made;
}

static PyMethodDef METHODS[] = {
    {"image", image, METH_VARARGS,
     "image(schema, (flows, hellos, messages), (base, first, capture), (kinds, ends, names), (least, most, second)):\n"
     "a database as a bytearray, or None."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot MODULE_SLOTS[] = {{0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.store._rows",
    .m_doc = "Facts as rows of a database; see daemon/store/image.py.",
    .m_methods = METHODS,
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit__rows(void)
{
    return PyModuleDef_Init(&MODULE);
}
