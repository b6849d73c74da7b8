"""Frames through one core of the flow table, cut into chunks and resumed wherever a test likes."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from daemon.decode.columns import SPARE, Columns, decode_columns
from daemon.decode.fragments import Fragments
from daemon.decode.records import Records
from daemon.flow.core import NATIVE, CoreName
from daemon.flow.facts import Endpoints
from daemon.flow.table import FlowTable
from tests.support.gathered import Gathered

NO_CORE = "daemon.flow._core is not built here (`python hatch_build.py`, needs a C compiler and Python.h)"
CORES = (
    pytest.param("numpy", id="numpy"),
    pytest.param("c", id="c", marks=pytest.mark.skipif(not NATIVE, reason=NO_CORE)),
)
native = pytest.mark.skipif(not NATIVE, reason=NO_CORE)


class Seen(NamedTuple):
    """A frame as a capture has it: `captured` bytes of it, all if that is more; `link` is a LINKTYPE."""

    time_us: int
    frame: bytes
    captured: int = 65535
    link: int = 1


def chunk(frames: Sequence[Seen], fragments: Fragments | None = None) -> tuple[bytearray, Columns]:
    """The buffer and columns of these frames."""
    buf, offsets = bytearray(), []
    for seen in frames:
        offsets.append(len(buf))
        buf += seen.frame[: seen.captured]
    captured = [len(seen.frame[: seen.captured]) for seen in frames]
    records = Records(
        offset=np.array(offsets, np.int64),
        captured=np.array(captured, np.int64),
        wire=np.array([len(seen.frame) for seen in frames], np.int64),
        time_us=np.array([seen.time_us for seen in frames], np.int64),
        link=np.array([seen.link for seen in frames], np.int32),
        consumed=len(buf),
        damage=(),
    )
    buf += bytes(SPARE)
    return buf, decode_columns(buf, records, fragments or Fragments())


def run(
    core: CoreName,
    frames: Sequence[Seen],
    *,
    cuts: Collection[int] = (),
    tidies: Collection[int] = (),
    resumes: Collection[int] = (),
    finish: bool = False,
) -> tuple[list[Any], dict[str, Any]]:
    """All facts of these frames. Before the frames of these indexes: a chunk ends; the table is tidied; it is written out
    and read back, with `finish` as behind the end of a file that grows."""
    endpoints, fragments, out = Endpoints(), Fragments(), Gathered()
    table = FlowTable(endpoints, core=core)
    places = sorted({0, len(frames), *(place for place in (*cuts, *tidies, *resumes) if place < len(frames))})
    for start, stop in pairwise(places):
        if start in tidies:
            table.tidy()
        if start in resumes:
            if finish:
                table.finish("open")
            out.add(table.take_facts(), endpoints)
            state = json.loads(json.dumps(table.state()))
            endpoints = Endpoints()
            table = FlowTable(endpoints, core=core)
            table.restore(state)
        table.add(*chunk(frames[start:stop], fragments))
    table.finish()
    out.add(table.take_facts(), endpoints)
    return out.all()
