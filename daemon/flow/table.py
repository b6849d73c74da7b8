"""All conversations of one capture while it is read: chunks of columns in, facts out.

Rule 1: the result depends on the packets and their order alone, never on where a chunk or a commit ends. What looks at
        the whole table (`tidy`) is called at fixed places of the file only.
Rule 2: the table is bounded: past OPEN flows the longest silent are let go and end as `cut`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from daemon.decode.columns import Columns, Survey
from daemon.decode.records import Buffer
from daemon.flow.core import CoreName, fresh_facts, make_core
from daemon.flow.facts import Endpoints, Facts
from daemon.flow.frames import FrameCounter

OPEN = 16384  # flows kept open; a home has a few thousand
_KEEP = OPEN // 2  # left after letting go, so that a flood does not make every tidy a sort


class FlowTable:
    """The open conversations of a capture, and the facts that they and the frames beside them yield."""

    def __init__(self, endpoints: Endpoints, *, core: CoreName = "auto") -> None:
        self.endpoints = endpoints
        self.clock_us = 0  # the latest packet time so far
        self._name = core
        self._core, self._conversation = make_core(core, endpoints, fresh_facts(core))
        self._native = core in ("auto", "c")
        self._frames = FrameCounter(endpoints, native=self._native)

    def __len__(self) -> int:
        return len(self._core)

    @property
    def facts(self) -> Facts:
        """The facts so far."""
        return self._core.facts

    def add(self, buf: Buffer, columns: Columns, survey: Survey | None = None) -> None:
        """Take the rows of a chunk, whose survey the caller may have already."""
        if not len(columns):
            return
        survey = survey or columns.survey()
        self.clock_us = max(self.clock_us, survey.last_us)
        if survey.frames:
            self._frames.add(buf, columns, self._core.facts)
        self._core.add(buf, columns)

    def tidy(self) -> None:
        """Let go of flows whose silence has ended them, and of the longest silent ones where there are too many."""
        self._core.expire(self.clock_us)
        self.trim()

    def trim(self) -> None:
        """Let go of the longest silent flows where there are too many."""
        if len(self._core) > OPEN:
            silent = sorted(self._core.open(), key=lambda flow: (flow.last_us, flow.key))
            for flow in silent[: len(silent) - _KEEP]:
                self._core.remove(flow, "cut")

    def finish(self, otherwise: str = "cut") -> None:
        """The capture ends here (for now: the flows stay open, so that it may grow). Writes every open flow."""
        clock = self.clock_us
        for flow in self._core.open():
            word = "idle" if clock - flow.last_us > flow.idle_us else otherwise
            flow.release(self._core.facts, word, live=True)

    def renumber(self, endpoints: Endpoints) -> None:
        """Number the ends of the open flows anew; those of closed flows are forgotten."""
        self.endpoints = endpoints
        self._frames = FrameCounter(endpoints, native=self._native)
        self._core.renumber(endpoints)
        for flow in self._core.open():
            flow.renumber(endpoints)

    def take_facts(self) -> Facts:
        """The facts since the last call."""
        facts, self._core.facts = self._core.facts, fresh_facts(self._name)
        return facts

    def state(self) -> dict[str, Any]:
        """All that is needed to go on in another process, as plain values."""
        return {**self.clock(), "flows": list(self.flow_states())}

    def clock(self) -> dict[str, Any]:
        """`state()` but for the flows, which may be many."""
        return {"clock_us": self.clock_us, "next": self._core.begun}

    def flow_states(self) -> Iterator[list[Any]]:
        """The flows of `state()`, one after the other."""
        return (flow.state() for flow in self._core.open())

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state()` described, whose flows may come one after the other; the table must be new."""
        self.clock_us, self._core.begun = state["clock_us"], state["next"]
        for each in state["flows"]:
            self._core.insert(self._conversation.restore(each, self.endpoints))
