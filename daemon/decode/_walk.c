/* The inner walks of decoding, in C: over the records of a pcap file, over the headers of common frames, and over those
 * who sent and received them.
 *
 * Rule 1: they give exactly what their numpy twins give, `PcapScanner` in pcap.py, `_fast` in columns.py and `_mark` in
 *         sketch.py, which stay as fallback and as oracle of the tests. What a rule means is said there; here it is only done.
 * Rule 2: no argument is trusted. Types and lengths of all arrays are checked before the first row, positions row by
 *         row; of a frame only [offset, offset + captured) is read.
 * Rule 3: nothing is allocated or kept, and no Python object is touched between the checks and the answer. The GIL is
 *         held throughout: nobody can change the bytes between a check and their use; a file that is mapped (see
 *         daemon/ingest/streams.py) is one that no other user can change.
 *
 * Stable ABI of Python 3.11; arrays come through the buffer protocol, so that numpy's headers are not needed.
 */

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_walk_arrays.h"
#include "_walk_frames.h"
#include "_walk_marks.h"
#include "_walk_pcap.h"
#include "_walk_survey.h"

PyDoc_STRVAR(scan_pcap_doc,
"scan_pcap(buf, pos, end, big_endian, lengths, divisor, size, bound, most_wire, offset, captured, wire, time_us)\n"
"\n"
"The records in line from `pos` into four int64 arrays: (number of records, position behind them, problem there).\n"
"`lengths` and the problem are indexes into LENGTHS and _PROBLEMS of pcap.py. Stops where the arrays are full.");

static PyObject *scan_pcap(PyObject *module, PyObject *const *args, Py_ssize_t nargs) {
    static const Array arrays[] = {
        {"buf", "B", 1, 0},     {"offset", SIGNED, 8, 1},  {"captured", SIGNED, 8, 1},
        {"wire", SIGNED, 8, 1}, {"time_us", SIGNED, 8, 1},
    };
    Py_buffer views[5];
    long long numbers[8];
    (void)module;
    if (nargs != 13)
        return PyErr_Format(PyExc_TypeError, "scan_pcap takes 13 arguments, not %zd", nargs);
    for (int i = 0; i < 8; i++) {
        numbers[i] = PyLong_AsLongLong(args[1 + i]);
        if (numbers[i] == -1 && PyErr_Occurred())
            return NULL;
    }
    Format format = {numbers[2] != 0, (int)numbers[3], numbers[4], numbers[5], numbers[6], numbers[7]};
    if (numbers[3] < CAPTURED_FIRST || numbers[3] > SMALLER_IS_CAPTURED || format.divisor < 1 || format.size < 16)
        return PyErr_Format(PyExc_ValueError, "no such pcap format");
    PyObject *const taken[] = {args[0], args[9], args[10], args[11], args[12]};
    if (open_arrays(taken, arrays, 1, NULL, views) < 0)
        return NULL;
    if (open_arrays(taken + 1, arrays + 1, 4, NULL, views + 1) < 0) {
        release(views, 1);
        return NULL;
    }
    PyObject *answer = NULL;
    int64_t pos = numbers[0], end = numbers[1];
    if (pos < 0 || pos > end || end > views[0].len) {
        PyErr_SetString(PyExc_ValueError, "outside the buffer");
    } else {
        int64_t *const columns[] = {views[1].buf, views[2].buf, views[3].buf, views[4].buf};
        Py_ssize_t count;
        int problem = walk_records(views[0].buf, &pos, end, &format, columns, views[1].shape[0], &count);
        answer = Py_BuildValue("nLi", count, (long long)pos, problem);
    }
    release(views, 5);
    return answer;
}

static const Array chunk_arrays[] = {
    {"offset", SIGNED, 8, 0},           {"captured", SIGNED, 8, 0},        {"wire", SIGNED, 8, 0},
    {"link", SIGNED, 4, 0},             {"slow_protocols", "?", 1, 0},     {"slow_ports", "?", 1, 0},
    {"slow", "?", 1, 1},                {"kind", "B", 1, 1},               {"ethertype", SIGNED, 4, 1},
    {"version", "B", 1, 1},             {"protocol", SIGNED, 2, 1},        {"source_hi", UNSIGNED, 8, 1},
    {"source_lo", UNSIGNED, 8, 1},      {"destination_hi", UNSIGNED, 8, 1}, {"destination_lo", UNSIGNED, 8, 1},
    {"source_port", SIGNED, 4, 1},      {"destination_port", SIGNED, 4, 1}, {"tcp_flags", "B", 1, 1},
    {"tcp_seq", SIGNED, 8, 1},          {"payload_offset", SIGNED, 8, 1},  {"payload_size", SIGNED, 8, 1},
    {"missing", SIGNED, 8, 1},
};
enum { CHUNK_ARRAYS = sizeof chunk_arrays / sizeof chunk_arrays[0] };

static Chunk chunk_of(const Py_buffer *buf, const Py_buffer *v) {
    Chunk chunk = {
        buf->buf,   v[0].buf,  v[1].buf,  v[2].buf,  v[3].buf,  v[4].buf,  v[5].buf,  v[6].buf,
        v[7].buf,   v[8].buf,  v[9].buf,  v[10].buf, v[11].buf, v[12].buf, v[13].buf, v[14].buf,
        v[15].buf,  v[16].buf, v[17].buf, v[18].buf, v[19].buf, v[20].buf, v[21].buf,
    };
    return chunk;
}

PyDoc_STRVAR(decode_doc,
"decode(buf, offset, captured, wire, link, slow_protocols, slow_ports, slow, *columns)\n"
"\n"
"Fill the rows of common shape and mark the others in `slow`; the number of the others. `columns` are those of\n"
"`columns.Columns` from kind to missing. Raises ValueError where an array or a frame's place is wrong.");

static PyObject *decode(PyObject *module, PyObject *const *args, Py_ssize_t nargs) {
    static const Array buffer = {"buf", "B", 1, 0};
    Py_ssize_t lengths[CHUNK_ARRAYS];
    Py_buffer buf, views[CHUNK_ARRAYS];
    (void)module;
    if (nargs != CHUNK_ARRAYS + 1)
        return PyErr_Format(PyExc_TypeError, "decode takes %d arguments, not %zd", CHUNK_ARRAYS + 1, nargs);
    for (int i = 0; i < CHUNK_ARRAYS; i++)
        lengths[i] = i == 4 ? 256 : i == 5 ? 65536 : -1;
    if (open_arrays(args, &buffer, 1, NULL, &buf) < 0)
        return NULL;
    if (open_arrays(args + 1, chunk_arrays, CHUNK_ARRAYS, lengths, views) < 0) {
        release(&buf, 1);
        return NULL;
    }
    Chunk chunk = chunk_of(&buf, views);
    Py_ssize_t slow = decode_rows(&chunk, buf.len, views[0].shape[0]);
    release(views, CHUNK_ARRAYS);
    release(&buf, 1);
    if (slow == NO_WAY)
        return PyErr_Format(PyExc_ValueError, "a frame outside the buffer");
    return PyLong_FromSsize_t(slow);
}

PyDoc_STRVAR(mark_doc,
"mark(buf, offset, link, kind, source_hi, source_lo, destination_hi, destination_lo, held)\n"
"\n"
"Set the marks of all rows in the 65,536 flags of `held`. Raises ValueError where an array or a frame's place is wrong.");

static PyObject *mark(PyObject *module, PyObject *const *args, Py_ssize_t nargs) {
    static const Array buffer = {"buf", "B", 1, 0};
    static const Array arrays[] = {
        {"offset", SIGNED, 8, 0},         {"link", SIGNED, 4, 0},           {"kind", "B", 1, 0},
        {"source_hi", UNSIGNED, 8, 0},    {"source_lo", UNSIGNED, 8, 0},    {"destination_hi", UNSIGNED, 8, 0},
        {"destination_lo", UNSIGNED, 8, 0}, {"held", "?", 1, 1},
    };
    static const Py_ssize_t lengths[8] = {-1, -1, -1, -1, -1, -1, -1, MARKS};
    Py_buffer buf, v[8];
    (void)module;
    if (nargs != 9)
        return PyErr_Format(PyExc_TypeError, "mark takes 9 arguments, not %zd", nargs);
    if (open_arrays(args, &buffer, 1, NULL, &buf) < 0)
        return NULL;
    if (open_arrays(args + 1, arrays, 8, lengths, v) < 0) {
        release(&buf, 1);
        return NULL;
    }
    Seen seen = {buf.buf, v[0].buf, v[1].buf, v[2].buf, v[3].buf, v[4].buf, v[5].buf, v[6].buf, v[7].buf};
    int outside = mark_rows(&seen, buf.len, v[0].shape[0]);
    release(v, 8);
    release(&buf, 1);
    if (outside)
        return PyErr_Format(PyExc_ValueError, "a frame outside the buffer");
    Py_RETURN_NONE;
}

PyDoc_STRVAR(pack_doc,
"pack(held)\n"
"\n"
"The sketch of the marks set in the 65,536 flags of `held`, which are cleared.");

static PyObject *pack(PyObject *module, PyObject *const *args, Py_ssize_t nargs) {
    static const Array array = {"held", "?", 1, 1};
    static const Py_ssize_t length = MARKS;
    uint8_t sketch[BITMAP];
    Py_buffer held;
    (void)module;
    if (nargs != 1)
        return PyErr_Format(PyExc_TypeError, "pack takes 1 argument, not %zd", nargs);
    if (open_arrays(args, &array, 1, &length, &held) < 0)
        return NULL;
    PyObject *packed = PyBytes_FromStringAndSize((const char *)sketch, pack_marks(held.buf, sketch));
    if (packed)
        memset(held.buf, 0, MARKS);
    release(&held, 1);
    return packed;
}

PyDoc_STRVAR(survey_doc,
"survey(time_us, wire, kind, link)\n"
"\n"
"The fields of columns.Survey of at least one row. Raises ValueError where an array is wrong.");

static PyObject *survey(PyObject *module, PyObject *const *args, Py_ssize_t nargs) {
    static const Array arrays[] = {
        {"time_us", SIGNED, 8, 0}, {"wire", SIGNED, 8, 0}, {"kind", "B", 1, 0}, {"link", SIGNED, 4, 0},
    };
    Py_buffer v[4];
    (void)module;
    if (nargs != 4)
        return PyErr_Format(PyExc_TypeError, "survey takes 4 arguments, not %zd", nargs);
    if (open_arrays(args, arrays, 4, NULL, v) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (v[0].shape[0] < 1) {
        PyErr_SetString(PyExc_ValueError, "no rows");
    } else {
        Survey all = survey_rows(v[0].buf, v[1].buf, v[2].buf, v[3].buf, v[0].shape[0]);
        answer = Py_BuildValue("LLLnnn", (long long)all.first_us, (long long)all.last_us, (long long)all.bytes, all.undecoded,
                               all.frames, all.cooked);
    }
    release(v, 4);
    return answer;
}

static PyMethodDef methods[] = {
    {"scan_pcap", (PyCFunction)(void (*)(void))scan_pcap, METH_FASTCALL, scan_pcap_doc},
    {"decode", (PyCFunction)(void (*)(void))decode, METH_FASTCALL, decode_doc},
    {"mark", (PyCFunction)(void (*)(void))mark, METH_FASTCALL, mark_doc},
    {"pack", (PyCFunction)(void (*)(void))pack, METH_FASTCALL, pack_doc},
    {"survey", (PyCFunction)(void (*)(void))survey, METH_FASTCALL, survey_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "daemon.decode._walk", "The inner walks of decoding, in C.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__walk(void) { return PyModuleDef_Init(&definition); }
