/* What is counted of one conversation, as a Python object: the twin of Tally in daemon/flow/tally.py, which is its oracle.

   Rule 1: its fields are those of the Python class, under the same names; what only Python uses (what payloads taught) is
           kept here too, so that a conversation is made without running Python.
   Rule 2: pairs are by end, 0 and 1, and are seen from Python as tuples.
   Rule 3: while all packets lie in one slot, `slices` is NULL and the totals are that slot's. After that `cell` holds what
           was counted in `slot` and does not stand in the dict yet. */

#ifndef HOMEPORT_FLOW_CORE_TALLY_H
#define HOMEPORT_FLOW_CORE_TALLY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "_core_keys.h"

typedef struct Flow {
    PyObject_HEAD
    Key key;
    uint64_t hash;
    struct Flow *before, *after; /* in the order in which they began */
    long long number, began_us, first_us, last_us, idle_us, slot;
    long long packets[2], bytes[2], cell[4];
    long long macs[2], ends[2], isn[2];
    int first_side, syn, asker, closed, wants, hello_count;
    char begun, confirmed;
    PyObject *key_tuple, *slices; /* NULL until needed */
    PyObject *inspector, *service, *name, *name_source, *hellos; /* NULL is None */
} Flow;

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { ICMPV6 = 58, TCP = 6, UDP = 17, BOTH = 3 };
enum { ROUTER_ADVERTISEMENT = 134 }; /* RFC 4861 section 4.2 */

#define SECOND 1000000LL
#define CLOSED_IDLE_US (10 * SECOND)

/* What the core does with it. The functions answer 0, or -1 with an exception set, where they answer anything. */

/* A fresh conversation is all zeros otherwise. */
static void tally_begin(Flow *flow, const Key *key, long long number, int side, long long time_us)
{
    int protocol = key_protocol(key);
    flow->key = *key;
    flow->number = number;
    flow->first_us = flow->last_us = flow->began_us = time_us;
    flow->idle_us = (protocol == TCP ? 3600 : protocol == UDP ? 180 : 60) * SECOND;
    flow->wants = protocol == TCP || protocol == UDP || protocol == ICMPV6 ? BOTH : 0;
    flow->first_side = side;
    flow->syn = flow->asker = -1;
    for (int end = 0; end < 2; end++)
        flow->macs[end] = flow->ends[end] = flow->isn[end] = -1;
}

/* Put what was counted in `slot` into `slices`. */
static int tally_spill(Flow *flow, const long long cell[4])
{
    if (!cell[0] && !cell[1])
        return 0;
    PyObject *slot = PyLong_FromLongLong(flow->slot), *sum = slot ? PyList_New(4) : NULL;
    PyObject *known = sum ? PyDict_GetItemWithError(flow->slices, slot) : NULL;
    int failed = !sum || PyErr_Occurred();
    for (int i = 0; i < 4 && !failed; i++) {
        PyObject *before = known ? PyList_GetItem(known, i) : NULL; /* a list of four, unless somebody made it otherwise */
        long long value = before ? PyLong_AsLongLong(before) : 0;
        PyObject *number = PyErr_Occurred() ? NULL : PyLong_FromLongLong(value + cell[i]);
        failed = !number || PyList_SetItem(sum, i, number);
    }
    failed = failed || PyDict_SetItem(flow->slices, slot, sum);
    Py_XDECREF(slot), Py_XDECREF(sum);
    return failed ? -1 : 0;
}

static int tally_turn(Flow *flow, long long slot)
{
    const long long sum[4] = {flow->packets[0], flow->packets[1], flow->bytes[0], flow->bytes[1]};
    if (sum[0] || sum[1]) {
        int fresh = !flow->slices;
        if (fresh && !(flow->slices = PyDict_New()))
            return -1;
        if (tally_spill(flow, fresh ? sum : flow->cell))
            return -1;
        memset(flow->cell, 0, sizeof flow->cell);
    }
    flow->slot = slot;
    return 0;
}

static inline int tally_count(Flow *flow, int side, long long time_us, long long slot, long long size)
{
    if (slot != flow->slot && tally_turn(flow, slot))
        return -1;
    flow->packets[side]++;
    flow->bytes[side] += size;
    if (flow->slices) {
        flow->cell[side]++;
        flow->cell[2 + side] += size;
    }
    if (time_us < flow->first_us)
        flow->first_us = time_us;
    if (time_us > flow->last_us)
        flow->last_us = time_us;
    return 0;
}

static void tally_flags(Flow *flow, int side, int flags, long long seq)
{
    if (flags & SYN) {
        long long begin = (seq + 1) & 0xFFFFFFFF;
        if (!(flags & ACK) && flow->isn[side] != -1 && flow->isn[side] != begin)
            flow->isn[1 - side] = -1;
        flow->isn[side] = begin;
        if (flow->syn < 0) {
            flow->syn = flags & ACK ? 1 - side : side;
            flow->begun = 1;
        }
    }
    if (flags & (FIN | RST)) {
        flow->closed |= flags & (FIN | RST);
        flow->idle_us = CLOSED_IDLE_US;
    }
}

/* Stretch the span [first, last, has sent] of an end: Facts.saw. */
static int stretch_span(PyObject *spans, long long end, long long first_us, long long last_us, int sent)
{
    const long long news[3] = {first_us, last_us, sent};
    PyObject *number = PyLong_FromLongLong(end), *span = number ? PyDict_GetItemWithError(spans, number) : NULL;
    int failed = !number || PyErr_Occurred();
    if (!failed && !span) {
        span = Py_BuildValue("[LLi]", first_us, last_us, sent);
        failed = !span || PyDict_SetItem(spans, number, span);
        Py_XDECREF(span);
    } else {
        for (int i = 0; i < 3 && !failed; i++) {
            PyObject *item = PyList_GetItem(span, i);
            long long known = item ? PyLong_AsLongLong(item) : 0;
            failed = PyErr_Occurred() != NULL;
            if (failed || (i == 0 ? news[i] >= known : news[i] <= known))
                continue;
            PyObject *value = PyLong_FromLongLong(news[i]);
            failed = !value || PyList_SetItem(span, i, value);
        }
    }
    Py_XDECREF(number);
    return failed ? -1 : 0;
}

/* A stretch of time in which an end was seen, to be noted later; `packets` 0: none. */
typedef struct {
    long long end, first_us, last_us;
    int packets, sent;
} Span;

/* Note it now. */
static int spill_span(PyObject *spans, Span *span)
{
    int some = span->packets;
    span->packets = 0;
    return some ? stretch_span(spans, span->end, span->first_us, span->last_us, span->sent) : 0;
}

/* `stretch_span`, later: the flows of a house have few ends of their own. `count` is a power of two. */
static int stretch_soon(PyObject *spans, Span *pending, int count, const Span *news)
{
    Span *span = &pending[news->end & (count - 1)];
    if (span->packets && span->end != news->end && spill_span(spans, span))
        return -1;
    if (!span->packets) {
        *span = *news;
        return 0;
    }
    span->first_us = news->first_us < span->first_us ? news->first_us : span->first_us;
    span->last_us = news->last_us > span->last_us ? news->last_us : span->last_us;
    span->sent |= news->sent;
    return 0;
}

#endif
