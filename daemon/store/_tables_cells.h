/* Cells of flows as their stations see them: the twin of daemon/store/flow_cells.py, where the columns are explained,
   and of `_CELL` in daemon/store/cells.py. */

#ifndef HOMEPORT_STORE_TABLES_CELLS_H
#define HOMEPORT_STORE_TABLES_CELLS_H

#include "_tables_table.h"

/* Columns of what flows moved, of the three tables that say of what, and of cells. */
enum { SLOT, KIND, CLIENT, SERVER, TURNED, WHOLE, NAME, SAID, FLOW, FLOWS, FIRST, LAST, UP, FLOW_WIDTH = UP + 4 };
enum { END_STATION = 1, END_INSIDE, END_WIDTH };
enum { KIND_CHATTER = 1, KIND_TCP, KIND_WIDTH };
enum { INTERNET, LOCAL, CHATTER, SCOPES };
enum { CELL_WIDTH = 14, SAID_BIT = 40, MOST_TEXTS = 1 << 22 };
enum { NOTHING_SAID = 1, HELLO_HIDES, BEFORE_IT_BEGAN }; /* texts, by number */
enum { NOT_BEFORE, BEFORE, BEFORE_AS_TCP }; /* why there is no name, where that is not said in a text */

typedef struct {
    Table flows, ends, kinds, hidden;
    Mapping of_ends, of_kinds, of_hidden;
} Seen;

/* The row of a table with this number; NULL for none. */
static const int64_t *row_of(const Table *table, const Mapping *mapping, int64_t key)
{
    const Place *found = place_of(mapping, key);
    return found->taken ? table->cells + found->value * table->width : NULL;
}

/* The number of the text that says why there is no name. */
static int64_t reason_of(const Seen *seen, const int64_t *flow, const int64_t *kind)
{
    if (place_of(&seen->of_hidden, flow[FLOW])->taken)
        return HELLO_HIDES;
    int before = flow[SAID] == BEFORE || (flow[SAID] == BEFORE_AS_TCP && kind[KIND_TCP]);
    return before ? BEFORE_IT_BEGAN : NOTHING_SAID;
}

/* Write the cell of a flow. Whether there is one: 1, or 0; -1 with an exception set. */
static int see_flow(const Seen *seen, const int64_t *flow, int64_t *cell)
{
    const int64_t *client = row_of(&seen->ends, &seen->of_ends, flow[CLIENT]);
    const int64_t *server = row_of(&seen->ends, &seen->of_ends, flow[SERVER]);
    const int64_t *kind = row_of(&seen->kinds, &seen->of_kinds, flow[KIND]);
    if (!client || !server || !kind)
        return 0;
    int inward = !client[END_STATION] && server[END_STATION];
    int inside = client[END_INSIDE] && server[END_INSIDE];
    int scope = kind[KIND_CHATTER] ? CHATTER : inside ? LOCAL : INTERNET;
    int64_t station = flow[WHOLE] ? flow[WHOLE] : client[END_STATION] ? client[END_STATION] : server[END_STATION];
    int64_t end = flow[inward ? CLIENT : SERVER], name = inward ? 0 : flow[NAME];
    if (flow[KIND] < 0 || flow[KIND] >> (SAID_BIT - 2) || flow[SAID] < -MOST_TEXTS) {
        PyErr_SetString(PyExc_OverflowError, "a manner of more than 64 bits");
        return -1;
    }
    int64_t said = inward || scope != INTERNET ? NOTHING_SAID : flow[SAID] < 0 ? -flow[SAID] : reason_of(seen, flow, kind);
    int other = flow[TURNED] != inward; /* the station got what was counted as up */
    int64_t manner = (flow[KIND] * SCOPES + scope) | (said - 1) << SAID_BIT;
    int64_t made[CELL_WIDTH] = {
        flow[SLOT],       station,          client[END_STATION] ? server[END_STATION] : 0, end, name, name ? 0 : end,
        flow[FLOWS],      flow[UP + other], flow[UP + 1 - other], flow[UP + 2 + other],    flow[UP + 3 - other],
        flow[FIRST],      flow[LAST],       manner,
    };
    memcpy(cell, made, sizeof made);
    return 1;
}

static PyObject *see_flows(const Seen *seen)
{
    int64_t *cells;
    PyObject *made = new_table(seen->flows.rows, CELL_WIDTH, &cells);
    Py_ssize_t rows = 0;
    for (Py_ssize_t row = 0; made && row < seen->flows.rows; row++) {
        int there = see_flow(seen, seen->flows.cells + row * FLOW_WIDTH, cells + rows * CELL_WIDTH);
        if (there < 0)
            Py_CLEAR(made);
        rows += there;
    }
    return cut_table(made, cells, rows, CELL_WIDTH);
}

static PyObject *table_cells(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *flows, *ends, *kinds, *hidden, *made = NULL;
    Seen seen = {0};
    if (!PyArg_ParseTuple(arguments, "SSSS:cells", &flows, &ends, &kinds, &hidden) ||
        table_of(&seen.flows, flows, FLOW_WIDTH) || table_of(&seen.ends, ends, END_WIDTH) ||
        table_of(&seen.kinds, kinds, KIND_WIDTH) || table_of(&seen.hidden, hidden, 1))
        return NULL;
    if (!mapping_of_rows(&seen.of_ends, &seen.ends) && !mapping_of_rows(&seen.of_kinds, &seen.kinds) &&
        !mapping_of_rows(&seen.of_hidden, &seen.hidden))
        made = see_flows(&seen);
    PyMem_Free(seen.of_ends.places), PyMem_Free(seen.of_kinds.places), PyMem_Free(seen.of_hidden.places);
    return made;
}

#endif
