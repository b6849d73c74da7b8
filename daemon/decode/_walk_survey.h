/* What is asked of all rows of a chunk together: `Survey` of columns.py. */

#ifndef HOMEPORT_DECODE_WALK_SURVEY_H
#define HOMEPORT_DECODE_WALK_SURVEY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t first_us, last_us, bytes;
    ptrdiff_t undecoded, frames, cooked;
} Survey;

/* Of at least one row. */
static Survey survey_rows(const int64_t *time_us, const int64_t *wire, const uint8_t *kind, const int32_t *link, ptrdiff_t count) {
    Survey all = {time_us[0], time_us[0], 0, 0, 0, 0};
    uint64_t bytes = 0; /* wraps as numpy's sum does */
    for (ptrdiff_t row = 0; row < count; row++) {
        all.first_us = time_us[row] < all.first_us ? time_us[row] : all.first_us;
        all.last_us = time_us[row] > all.last_us ? time_us[row] : all.last_us;
        bytes += (uint64_t)wire[row];
        all.undecoded += kind[row] == KIND_UNDECODED;
        all.frames += kind[row] == KIND_FRAME;
        all.cooked += link[row] == SLL;
    }
    all.bytes = (int64_t)bytes;
    return all;
}

#endif
