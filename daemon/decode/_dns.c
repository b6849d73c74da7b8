/* Reads common DNS messages in C: queries and answers that are whole, made of the record types homes see all day.
 *
 * Rule 1: what it gives is what `dns.parse_plainly` gives, which stays the full reader and the oracle of the tests. What
 *         a rule means is said there and in dns_names.py and dns_rdata.py; here it is only done.
 * Rule 2: on any doubt there is no answer (None), and the plain reader reads the message from its start: another opcode,
 *         header bits out of use, a message cut, a name or data that breaks its format, a type or escape not known here.
 * Rule 3: nothing is read outside [0, size) of the buffer and nothing is allocated before the counts of the header are
 *         known to fit into it. A name follows at most HOPS pointers, each to an earlier place, and is at most 255 octets.
 * Rule 4: no state but what `bind` was given, and messages read lately. Inside, NULL without an exception means doubt,
 *         with one an error.
 *
 * Stable ABI of Python 3.11.
 */

#include "_dns_svcb.h"
#include "_tuples.h"

enum { RESPONSE = 0x8000, OPCODE = 0x7800, TRUNCATED = 0x0200, Z = 0x0040, RCODE = 0x000F };
enum { CLASS_IN = 1, CLASS_BITS = 0x7FFF }; /* without the top bit of mDNS, RFC 6762 section 10.2 */

/* --- messages */

/* Nothing to collect: a whole tuple of texts, numbers and tuples of them is in no cycle. Facts hold them by the hundred
 * thousand, and the collector would look at each again and again; plain tuples of such it lets go by itself. */
static PyObject *acyclic(PyObject *tuple) {
    if (tuple && PyTuple_Size(tuple))
        PyObject_GC_UnTrack(tuple);
    return tuple;
}

/* The mnemonic of a type; a new reference, NULL for one that is written by its number. */
static PyObject *mnemonic(const Bound *bound, unsigned kind) {
    return kind < TYPES ? Py_XNewRef(bound->types[kind]) : NULL;
}

static PyObject *read_value(const Bound *bound, Wire *wire, unsigned kind, Py_ssize_t start, Py_ssize_t end) {
    switch (kind) {
    case A:
        return read_a(wire, start, end);
    case AAAA:
        return read_aaaa(wire, start, end);
    case NS: case CNAME: case PTR: case DNAME:
        return read_only_name(wire, start, end);
    case SOA:
        return read_soa(wire, start, end);
    case MX:
        return read_numbers_name(wire, start, end, 1);
    case SRV:
        return read_numbers_name(wire, start, end, 3);
    case TXT:
        return read_txt(wire, start, end);
    case NSEC:
        return read_nsec(bound, wire, start, end);
    case DS: case RRSIG: case DNSKEY: case NSEC3:
        return read_generic(wire, start, end);
    case SVCB: case HTTPS:
        return read_service(bound, wire, start, end);
    default:
        return NULL;
    }
}

static PyObject *read_question(const Bound *bound, Wire *wire, Py_ssize_t *pos) {
    PyObject *name = read_name(wire, pos);
    if (!name)
        return NULL;
    if (wire->size - *pos < 4) {
        Py_DECREF(name);
        return NULL;
    }
    PyObject *fields[] = {name, mnemonic(bound, be16(wire->buf + *pos))};
    *pos += 4;
    return fact_of((PyObject *)bound->question, fields, 2);
}

static PyObject *read_questions(const Bound *bound, Wire *wire, Py_ssize_t *pos, unsigned count) {
    PyObject *questions = PyTuple_New(count);
    for (unsigned i = 0; questions && i < count; i++) {
        PyObject *question = read_question(bound, wire, pos);
        if (!question || PyTuple_SetItem(questions, i, question) < 0)
            Py_CLEAR(questions);
    }
    return acyclic(questions);
}

/* The record at `*pos`, NULL in `*record` for OPT, whose upper bits of the response code go to `*upper`. 0 or DOUBT. */
static int read_record(const Bound *bound, Wire *wire, Py_ssize_t *pos, int section, unsigned *upper, PyObject **record) {
    PyObject *name = read_name(wire, pos);
    *record = NULL;
    if (!name)
        return DOUBT;
    if (wire->size - *pos < 10) {
        Py_DECREF(name);
        return DOUBT;
    }
    const uint8_t *fixed = wire->buf + *pos; /* type, class, TTL, length of the data */
    unsigned kind = be16(fixed), klass = be16(fixed + 2), length = be16(fixed + 8);
    uint32_t ttl = be32(fixed + 4);
    Py_ssize_t start = *pos + 10;
    *pos = start + length;
    if (*pos > wire->size || ((kind == A || kind == AAAA) && (klass & CLASS_BITS) != CLASS_IN)) {
        Py_DECREF(name);
        return DOUBT;
    }
    if (kind == OPT) {
        if (section == 2) /* RFC 6891 section 6.1.1 */
            *upper = ttl >> 24;
        Py_DECREF(name);
        return 0;
    }
    PyObject *value = read_value(bound, wire, kind, start, *pos);
    if (!value) {
        Py_DECREF(name);
        return DOUBT;
    }
    PyObject *fields[] = {Py_NewRef(bound->sections[section]), name, mnemonic(bound, kind),
                          PyLong_FromUnsignedLong(ttl), value};
    *record = fact_of((PyObject *)bound->record, fields, 5);
    return *record ? 0 : DOUBT;
}

static PyObject *read_records(const Bound *bound, Wire *wire, Py_ssize_t pos, unsigned total, unsigned *upper) {
    PyObject *records = PyTuple_New(total);
    Py_ssize_t kept = 0;
    for (int section = 0; section < 3; section++) {
        unsigned count = be16(wire->buf + 6 + 2 * section);
        for (unsigned i = 0; records && i < count; i++) {
            PyObject *record;
            if (read_record(bound, wire, &pos, section, upper, &record) == DOUBT)
                Py_CLEAR(records);
            else if (record && PyTuple_SetItem(records, kept++, record) < 0)
                Py_CLEAR(records);
        }
    }
    if (records && kept < (Py_ssize_t)total) { /* without OPT */
        PyObject *all = records;
        records = PyTuple_GetSlice(all, 0, kept);
        Py_DECREF(all);
    }
    return acyclic(records);
}

/* 0 or DOUBT. */
static int read_message(const Bound *bound, Wire *wire, DnsRead *read) {
    const uint8_t *buf = wire->buf;
    if (wire->size < HEADER)
        return DOUBT;
    unsigned flags = be16(buf + 2), rcode = flags & RCODE, asked = be16(buf + 4);
    unsigned total = be16(buf + 6) + be16(buf + 8) + be16(buf + 10);
    read->response = (flags & RESPONSE) != 0;
    read->truncated = (flags & TRUNCATED) != 0;
    if (flags & (OPCODE | Z) || !(asked || total))
        return DOUBT;
    /* The least a question and a record take; the plain reader says what a message with less is worth. */
    if ((Py_ssize_t)asked * 5 + (Py_ssize_t)total * 11 > wire->size - HEADER)
        return DOUBT;
    Py_ssize_t pos = HEADER;
    unsigned upper = 0;
    read->questions = read_questions(bound, wire, &pos, asked);
    read->records = read->questions ? read_records(bound, wire, pos, total, &upper) : NULL;
    rcode |= upper << 4;
    if (!read->records || (rcode && !read->response) || rcode >= RCODES || !bound->rcodes[rcode])
        return DOUBT;
    read->rcode = Py_NewRef(bound->rcodes[rcode]);
    return 0;
}

/* DnsReader.read, which says what it answers. */
static int read_bytes(DnsReader *reader, const uint8_t *bytes, Py_ssize_t size, DnsRead *read) {
    Bound *bound = (Bound *)reader;
    uint64_t hash = 0;
    int keep = size >= HEADER && size <= LONGEST, place = 0;
    *read = (DnsRead){0, 0, NULL, NULL, NULL};
    if (keep) {
        hash = hash_message(bytes, size);
        place = (int)(hash & (PLACES - 1));
        if (bound->hashes[place] == hash && is_known(&bound->lately[place], bytes, size, read))
            return 1;
    }
    Wire wire;
    wire.buf = bytes;
    wire.size = size;
    wire.known = 0;
    int doubt = read_message(bound, &wire, read);
    while (wire.known)
        Py_DECREF(wire.text[--wire.known]);
    if (doubt) {
        forget_read(read);
        return PyErr_Occurred() ? -1 : 0;
    }
    if (keep && PyTuple_Size(read->records) <= MOST_RECORDS) {
        keep_lately(&bound->lately[place], bytes, size, read);
        bound->hashes[place] = hash;
    }
    return 1;
}

PyDoc_STRVAR(parse_message_doc,
"parse_message(buf, /)\n"
"\n"
"The message in `buf`; None where the plain reader has to say what it is. Raises TypeError for other than bytes.");

static PyObject *parse_message(PyObject *self, PyObject *buf) {
    Bound *bound = PyCapsule_GetPointer(self, DNS_READER);
    char *start;
    Py_ssize_t size;
    DnsRead read;
    if (!bound || PyBytes_AsStringAndSize(buf, &start, &size) < 0)
        return NULL;
    int known = read_bytes(&bound->reader, (const uint8_t *)start, size, &read);
    if (known < 0)
        return NULL;
    if (!known)
        Py_RETURN_NONE;
    PyObject *fields[] = {
        PyLong_FromUnsignedLong(be16((const uint8_t *)start)), PyBool_FromLong(read.response), PyLong_FromLong(0), read.rcode,
        PyBool_FromLong(read.truncated), read.questions, read.records,
    };
    return fact_of((PyObject *)bound->message, fields, 7);
}

/* --- binding */

static void unbind(PyObject *capsule) {
    Bound *bound = PyCapsule_GetPointer(capsule, DNS_READER);
    if (!bound)
        return;
    for (int i = 0; i < PLACES; i++)
        forget_lately(bound->lately + i);
    Py_XDECREF((PyObject *)bound->message);
    Py_XDECREF((PyObject *)bound->question);
    Py_XDECREF((PyObject *)bound->record);
    Py_XDECREF(bound->service);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(bound->sections[i]);
    for (int i = 0; i < TYPES; i++)
        Py_XDECREF(bound->types[i]);
    for (int i = 0; i < RCODES; i++)
        Py_XDECREF(bound->rcodes[i]);
    PyMem_Free(bound);
}

/* `given` as a NamedTuple class of `fields` fields; a new reference, NULL with TypeError if it is none. */
static PyTypeObject *class_of_tuples(PyObject *given, Py_ssize_t fields) {
    if (!PyType_Check(given) || !PyType_IsSubtype((PyTypeObject *)given, &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "not a NamedTuple class");
        return NULL;
    }
    PyObject *names = PyObject_GetAttrString(given, "_fields");
    Py_ssize_t count = names ? PyObject_Size(names) : -1;
    Py_XDECREF(names);
    if (count < 0)
        return NULL;
    if (count != fields) {
        PyErr_Format(PyExc_TypeError, "a NamedTuple of %zd fields, not %zd", count, fields);
        return NULL;
    }
    return (PyTypeObject *)Py_NewRef(given);
}

/* Copy the texts of the numbers below `size`. */
static int fill(PyObject **table, long size, PyObject *texts) {
    PyObject *key, *text;
    for (Py_ssize_t at = 0; PyDict_Next(texts, &at, &key, &text);) {
        long number = PyLong_AsLong(key);
        if (number == -1 && PyErr_Occurred())
            return -1;
        if (!PyUnicode_Check(text)) {
            PyErr_SetString(PyExc_TypeError, "a mnemonic that is no string");
            return -1;
        }
        if (number >= 0 && number < size && !table[number])
            table[number] = Py_NewRef(text);
    }
    return 0;
}

static int fill_bound(Bound *bound, PyObject *args) {
    static const char *const sections[] = {"answer", "authority", "additional"};
    PyObject *message, *question, *record, *types, *rcodes, *service;
    if (!PyArg_ParseTuple(args, "OOOO!O!O:bind", &message, &question, &record, &PyDict_Type, &types, &PyDict_Type, &rcodes,
                          &service))
        return -1;
    bound->reader.read = read_bytes;
    bound->service = Py_NewRef(service);
    for (int i = 0; i < 3; i++) {
        bound->sections[i] = PyUnicode_InternFromString(sections[i]);
        if (!bound->sections[i])
            return -1;
    }
    if (!(bound->message = class_of_tuples(message, 7)) || !(bound->question = class_of_tuples(question, 2)) ||
        !(bound->record = class_of_tuples(record, 5)))
        return -1;
    return fill(bound->types, TYPES, types) < 0 || fill(bound->rcodes, RCODES, rcodes) < 0 ? -1 : 0;
}

PyDoc_STRVAR(bind_doc,
"bind(Message, Question, Record, types, rcodes, service_text, /)\n"
"\n"
"A function `parse_message(buf) -> Message | None` that makes these classes, with mnemonics from the two dicts by\n"
"number. `service_text(raw)` reads the data of SVCB and HTTPS.");

static PyObject *bind_classes(PyObject *module, PyObject *args) {
    static PyMethodDef method = {"parse_message", parse_message, METH_O, parse_message_doc};
    (void)module;
    Bound *bound = PyMem_Calloc(1, sizeof *bound);
    if (!bound)
        return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(bound, DNS_READER, unbind);
    if (!capsule) {
        PyMem_Free(bound);
        return NULL;
    }
    PyObject *function = fill_bound(bound, args) < 0 ? NULL : PyCFunction_New(&method, capsule);
    Py_DECREF(capsule);
    return function;
}

static PyMethodDef methods[] = {
    {"bind", bind_classes, METH_VARARGS, bind_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "daemon.decode._dns", "Common DNS messages, read in C.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__dns(void) { return PyModuleDef_Init(&definition); }
