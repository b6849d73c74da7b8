/* The two inner walks of decoding, in C: over the records of a pcap file, and over the headers of common frames.
 *
 * Rule 1: both give exactly what their numpy twins give, `PcapScanner` in pcap.py and `_fast` in columns.py, which stay
 *         as fallback and as oracle of the tests. What a rule means is said there; here it is only done.
 * Rule 2: no argument is trusted. Types and lengths of all arrays are checked before the first row, positions row by
 *         row; of a frame only [offset, offset + captured) is read.
 * Rule 3: nothing is allocated or kept, and no Python object is touched between the checks and the answer. The GIL is
 *         held throughout: nobody can change the bytes between a check and their use.
 *
 * Stable ABI of Python 3.11; arrays come through the buffer protocol, so that numpy's headers are not needed.
 */

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

static unsigned be16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static uint32_t be32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t le32(const uint8_t *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static uint64_t be64(const uint8_t *at) { return (uint64_t)be32(at) << 32 | be32(at + 4); }

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* --- arguments */

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

/* --- records of a pcap file */

enum { CAPTURED_FIRST, ORIGINAL_FIRST, SMALLER_IS_CAPTURED };
enum { NO_PROBLEM, IMPOSSIBLE, ZEROS };

typedef struct {
    int big_endian;
    int lengths;        /* which of the two lengths is the captured one */
    int64_t divisor;    /* fractions of a second in a microsecond */
    int64_t size;       /* bytes of a record header */
    int64_t bound;      /* the largest captured length that is believed */
    int64_t most_wire;  /* likewise of the original length */
} Format;

typedef struct {
    int64_t seconds, fraction, captured, wire;
} Header;

static Header read_header(const uint8_t *at, const Format *format) {
    uint32_t (*word)(const uint8_t *) = format->big_endian ? be32 : le32;
    int64_t first = word(at + 8), second = word(at + 12);
    int swapped = format->lengths == ORIGINAL_FIRST || (format->lengths == SMALLER_IS_CAPTURED && second < first);
    Header header = {word(at), word(at + 4), swapped ? second : first, swapped ? first : second};
    return header;
}

static int problem_of(const Header *header, const Format *format) {
    int nothing = !(header->seconds | header->fraction | header->captured | header->wire);
    if (header->captured <= format->bound && header->wire <= format->most_wire && !nothing)
        return NO_PROBLEM;
    return header->captured ? IMPOSSIBLE : ZEROS;
}

/* Where the next record is, only this one says: a walk that waits for memory at each step, unless it guesses. Bulk data
 * comes in runs of like frames; asking early for where such a run would go on takes a third off the walk's time. */
static void ask_ahead(const uint8_t *buf, int64_t at, int64_t end, int64_t step) {
#if defined(__GNUC__)
    for (int steps = 2; steps <= 8; steps *= 2)
        if (steps * step < end - at)
            __builtin_prefetch(buf + at + steps * step);
#else
    (void)buf, (void)at, (void)end, (void)step;
#endif
}

/* Walks until a record is wrong or not whole, or the columns are full; moves `pos` there and says what is wrong. */
static int walk_records(const uint8_t *buf, int64_t *pos, int64_t end, const Format *format, int64_t *const columns[4],
                        Py_ssize_t most, Py_ssize_t *count) {
    int64_t at = *pos;
    int problem = NO_PROBLEM;
    Py_ssize_t row = 0;
    while (row < most && end - at >= format->size) {
        Header header = read_header(buf + at, format);
        problem = problem_of(&header, format);
        if (problem || header.captured > end - at - format->size)
            break;
        ask_ahead(buf, at, end, format->size + header.captured);
        columns[0][row] = at + format->size;
        columns[1][row] = header.captured;
        columns[2][row] = header.wire;
        columns[3][row] = header.seconds * 1000000 + header.fraction / format->divisor;
        row++;
        at += format->size + header.captured;
    }
    *pos = at;
    *count = row;
    return problem;
}

PyDoc_STRVAR(scan_pcap_doc,
"scan_pcap(buf, pos, end, big_endian, lengths, divisor, size, bound, most_wire, offset, captured, wire, time_us)\n"
"\n"
"The records in line from `pos` into four int64 arrays: (number of records, position behind them, problem there).\n"
"`lengths` and the problem are indexes into LENGTHS and PROBLEMS of pcap.py. Stops where the arrays are full.");

static PyObject *scan_pcap(PyObject *module, PyObject *const *args, Py_ssize_t nargs) {
    static const Array arrays[] = {
        {"buf", "B", 1, 0},        {"offset", SIGNED, 8, 1},  {"captured", SIGNED, 8, 1},
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

/* --- headers of common frames */

enum { KIND_IP = 1, KIND_FRAME = 2 };
enum { ETHERNET = 1, SLL = 113 };
enum { TCP = 6, UDP = 17 };
enum { IPV4 = 0x0800, IPV6 = 0x86DD };
enum { NO_WAY = -1 };

/* The columns of a chunk, in the order of the arguments behind `buf`. */
typedef struct {
    const uint8_t *buf;
    const int64_t *offset, *captured, *wire;
    const int32_t *link;
    const uint8_t *slow_protocols, *slow_ports;
    uint8_t *slow, *kind;
    int32_t *ethertype;
    uint8_t *version;
    int16_t *protocol;
    uint64_t *source_hi, *source_lo, *destination_hi, *destination_lo;
    int32_t *source_port, *destination_port;
    uint8_t *tcp_flags;
    int64_t *tcp_seq, *payload_offset, *payload_size, *missing;
} Chunk;

static int is_tag(unsigned ethertype) { return ethertype == 0x8100 || ethertype == 0x88A8 || ethertype == 0x9100; }

/* Lengths of 802.3, and what has further headers inside: a third tag, PPPoE, MPLS. */
static int is_entered(unsigned ethertype) {
    return ethertype < 0x0600 || is_tag(ethertype) || ethertype == 0x8864 || ethertype == 0x8847 || ethertype == 0x8848;
}

/* Where in the frame the network header begins, and the ethertype before it; NO_WAY: for the slow path. */
static int64_t network_layer(const uint8_t *frame, int64_t captured, int32_t link, unsigned *ethertype) {
    int64_t at;
    switch (link) {
    case ETHERNET:
        at = 14;
        break;
    case SLL:
        at = 16;
        break;
    case 12: case 14: case 101: case 228: case 229: /* raw IP, under all its numbers */
        if (captured < 1 || (frame[0] >> 4 != 4 && frame[0] >> 4 != 6))
            return NO_WAY;
        *ethertype = frame[0] >> 4 == 4 ? IPV4 : IPV6;
        return 0;
    default:
        return NO_WAY;
    }
    if (captured < at)
        return NO_WAY;
    *ethertype = be16(frame + at - 2);
    for (int tags = 0; tags < 2 && is_tag(*ethertype); tags++) {
        if (captured < at + 4)
            return NO_WAY;
        *ethertype = be16(frame + at + 2);
        at += 4;
    }
    return is_entered(*ethertype) ? NO_WAY : at;
}

/* TCP (RFC 9293), UDP (RFC 768) or another protocol behind an IP header of `header` bytes that announces `total`.
 * `room` bytes, at least the header's, were captured from it on. False: for the slow path. */
static int transport(const Chunk *chunk, Py_ssize_t row, const uint8_t *packet, int64_t header, int64_t room,
                     int64_t total, unsigned protocol) {
    const uint8_t *segment = packet + header;
    int64_t have = smaller(room, total), body = header, announced = total;
    if (protocol == TCP) {
        if (have < header + 20)
            return 0;
        body += (segment[12] >> 4) * 4;
        if (body < header + 20 || have < body)
            return 0;
        chunk->tcp_flags[row] = segment[13] & 0x3F;
        chunk->tcp_seq[row] = be32(segment + 4);
    } else if (protocol == UDP) {
        body += 8;
        if (have < body)
            return 0;
        announced = header + be16(segment + 4);
        if (announced < body || announced > total)
            return 0;
        if (chunk->slow_ports[be16(segment)] || chunk->slow_ports[be16(segment + 2)])
            return 0;
    }
    if (protocol == TCP || protocol == UDP) {
        chunk->source_port[row] = (int32_t)be16(segment);
        chunk->destination_port[row] = (int32_t)be16(segment + 2);
    }
    have = smaller(have, announced);
    chunk->kind[row] = KIND_IP;
    chunk->protocol[row] = (int16_t)protocol;
    chunk->payload_offset[row] = packet - chunk->buf + body;
    chunk->payload_size[row] = have - body;
    chunk->missing[row] = announced - have;
    return 1;
}

/* RFC 791 without options or fragments. */
static int ipv4(const Chunk *chunk, Py_ssize_t row, const uint8_t *packet, int64_t room) {
    if (room < 20 || packet[0] != 0x45 || be16(packet + 6) & 0x3FFF)
        return 0;
    unsigned total = be16(packet + 2);
    if (total < 20 || chunk->slow_protocols[packet[9]] || !transport(chunk, row, packet, 20, room, total, packet[9]))
        return 0;
    chunk->version[row] = 4;
    chunk->source_lo[row] = be32(packet + 12);
    chunk->destination_lo[row] = be32(packet + 16);
    return 1;
}

/* RFC 8200 without extension headers; a payload length of 0 (jumbogram or offload) is left to the slow path. */
static int ipv6(const Chunk *chunk, Py_ssize_t row, const uint8_t *packet, int64_t room) {
    if (room < 40 || packet[0] >> 4 != 6)
        return 0;
    unsigned size = be16(packet + 4);
    if (!size || chunk->slow_protocols[packet[6]] || !transport(chunk, row, packet, 40, room, 40 + size, packet[6]))
        return 0;
    chunk->version[row] = 6;
    chunk->source_hi[row] = be64(packet + 8);
    chunk->source_lo[row] = be64(packet + 16);
    chunk->destination_hi[row] = be64(packet + 24);
    chunk->destination_lo[row] = be64(packet + 32);
    return 1;
}

static int decode_row(const Chunk *chunk, Py_ssize_t row) {
    int64_t captured = chunk->captured[row], wire = chunk->wire[row];
    unsigned ethertype = 0;
    const uint8_t *frame = chunk->buf + chunk->offset[row];
    int64_t at = network_layer(frame, captured, chunk->link[row], &ethertype);
    if (at == NO_WAY)
        return 0;
    if (ethertype == IPV4)
        return ipv4(chunk, row, frame + at, captured - at);
    if (ethertype == IPV6)
        return ipv6(chunk, row, frame + at, captured - at);
    chunk->kind[row] = KIND_FRAME;
    chunk->ethertype[row] = (int32_t)ethertype;
    chunk->payload_offset[row] = chunk->offset[row] + at;
    chunk->payload_size[row] = captured - at;
    chunk->missing[row] = wire > captured ? wire - captured : 0;
    return 1;
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

/* The number of rows for the slow path, or NO_WAY where a frame is not in the buffer. */
static Py_ssize_t decode_rows(const Chunk *chunk, Py_ssize_t size, Py_ssize_t rows) {
    Py_ssize_t slow = 0;
    for (Py_ssize_t row = 0; row < rows; row++) {
        int64_t offset = chunk->offset[row];
        if (offset < 0 || offset > size || chunk->captured[row] > size - offset)
            return NO_WAY;
        chunk->slow[row] = (uint8_t)!decode_row(chunk, row);
        slow += chunk->slow[row];
    }
    return slow;
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

static PyMethodDef methods[] = {
    {"scan_pcap", (PyCFunction)(void (*)(void))scan_pcap, METH_FASTCALL, scan_pcap_doc},
    {"decode", (PyCFunction)(void (*)(void))decode, METH_FASTCALL, decode_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "daemon.decode._walk", "The inner walks of decoding, in C.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__walk(void) { return PyModuleDef_Init(&definition); }
