/* A row: which flow it belongs to, what it ends and begins, and who takes its payload. */

#ifndef HOMEPORT_FLOW_CORE_TAKE_H
#define HOMEPORT_FLOW_CORE_TAKE_H

#include <Python.h>
#include <stdint.h>

#include "_core_dns.h"
#include "_core_flow.h"
#include "_core_tcp.h"
#include "_core_udp.h"

/* A message of ICMPv6: only a router that advertises says more than that it is there (Icmpv6Inspector). 1, 0 where it is
   for Python, or -1. */
static int take_icmpv6(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow)
{
    int64_t size = CELL(rows, PAYLOAD_SIZE, int64_t, row);
    if (!self->advertised || size <= 0 || (rows->special && rows->special[row]) ||
        (has_inspector(flow) && Py_TYPE(flow->inspector) != Py_TYPE(self->advertised)))
        return 0;
    const unsigned char *start = rows_bytes(rows, CELL(rows, PAYLOAD_OFFSET, int64_t, row), size);
    if (!start || start[0] == ROUTER_ADVERTISEMENT)
        return start ? 0 : -1;
    if (!has_inspector(flow))
        set_inspector(flow, Py_NewRef(self->advertised));
    return 1;
}

/* Take a payload that somebody wants without Python, where that can be; 1, 0 where it is for Python, or -1. */
static int take_payload(Core *self, const Rows *rows, Py_ssize_t row, Flow *flow, int side)
{
    int protocol = key_protocol(&flow->key);
    if (protocol == ICMPV6)
        return take_icmpv6(self, rows, row, flow);
    int taken = take_dns(self, rows, row, flow, side);
    if (taken || !self->starts[0] || (protocol != TCP && protocol != UDP))
        return taken;
    return protocol == TCP ? take_tcp(self, rows, row, flow, side) : take_udp(self, rows, row, flow, side);
}

/* The slot of a row, which most often is that of the row before: dividing takes longer than all else that is counted. */
static void find_slot(Core *self, int64_t time_us)
{
    self->slot = time_us / self->slot_us - (time_us % self->slot_us < 0); /* rounds down, as Python does */
    self->slot_begin = (int64_t)((uint64_t)self->slot * (uint64_t)self->slot_us); /* wraps where the slot begins too early */
}

static int take_row(Core *self, const Rows *rows, Py_ssize_t row)
{
    Key key;
    int side = row_key(rows, row, &key);
    int64_t time_us = CELL(rows, TIME_US, int64_t, row);
    int flags = CELL(rows, TCP_FLAGS, uint8_t, row);
    int again = self->latest && !memcmp(&self->latest->key, &key, sizeof key);
    uint64_t hash = again ? self->latest->hash : key_hash(&self->table, &key);
    Flow *flow = again ? self->latest : table_find(&self->table, &key, hash);
    if (flow && is_silent(flow, time_us)) {
        if (end_flow(self, flow, self->names[N_IDLE]))
            return -1;
        flow = NULL;
    }
    if (flow && flow->closed && (flags & (SYN | ACK)) == SYN) {
        if (end_flow(self, flow, self->names[N_CUT])) /* said by its FIN or RST: the word given here is not used */
            return -1;
        flow = NULL;
    }
    if (!flow)
        flow = begin_flow(self, rows, row, &key, hash, side);
    else if (!flow->packets[side] && meet(self, rows, row, flow, side))
        return -1;
    if (time_us < self->slot_begin || (uint64_t)time_us - (uint64_t)self->slot_begin >= (uint64_t)self->slot_us)
        find_slot(self, time_us);
    if (!flow || tally_count(flow, side, time_us, self->slot, CELL(rows, WIRE, int64_t, row)))
        return -1;
    if (flags & (SYN | FIN | RST))
        tally_flags(flow, side, flags, CELL(rows, TCP_SEQ, int64_t, row));
    self->latest = flow;
    int wanted = flow->wants >> side & 1;
    if (!wanted) {
        wanted = is_notable(&self->notable, rows, row);
        if (wanted < 0)
            return -1;
    }
    if (!wanted || (CELL(rows, PAYLOAD_SIZE, int64_t, row) <= 0 && CELL(rows, MISSING, int64_t, row) <= 0))
        return 0;
    int taken = take_payload(self, rows, row, flow, side);
    return taken < 0 ? -1 : taken ? 0 : show_row(self, rows, row, flow, side);
}

#endif
