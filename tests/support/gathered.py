"""Facts in a form in which two runs can be compared: without the numbers that are a run's own.

Rule 1: flows and ends are named by what they are; the order in which they were met does not show.
Rule 2: facts of several batches are joined as the store joins them: a later row of a flow or hello replaces the earlier,
        slices and frames add up, spans widen.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from daemon.flow.facts import EndpointKey, Endpoints, Facts, FlowFact


class Gathered:
    """The facts of one run."""

    def __init__(self) -> None:
        self._flows: dict[int, FlowFact] = {}
        self._ends: dict[int, tuple[Any, Any]] = {}
        self._slices: dict[int, Counter[tuple[int, str]]] = {}
        self._hellos: dict[int, dict[int, Any]] = {}
        self._dns: Counter[Any] = Counter()
        self._spans: dict[Any, list[int]] = {}
        self._frames: Counter[Any] = Counter()

    def add(self, facts: Facts, endpoints: Endpoints) -> None:
        """Take a batch; `endpoints` are those that its numbers mean."""

        def who(number: int) -> EndpointKey | None:
            return endpoints.keys[number] if number >= 0 else None

        for flow in facts.flows:
            self._flows[flow.number] = flow
            self._ends[flow.number] = who(flow.client), who(flow.server)
        for part in facts.slices:
            counters = self._slices.setdefault(part.number, Counter())
            for name in ("packets_up", "packets_down", "bytes_up", "bytes_down"):
                counters[part.slot_us, name] += getattr(part, name)
        for hello in facts.hellos:
            told = who(hello.client), who(hello.server), hello._replace(number=0, client=-1, server=-1)
            self._hellos.setdefault(hello.number, {})[hello.place] = told
        for fact in facts.dns:
            self._dns[who(fact.client), who(fact.resolver), fact._replace(client=-1, resolver=-1)] += 1
        for spans in (facts.hints, facts.networks, facts.routers, {who(end): span for end, span in facts.seen.items()}):
            for key, (first, last, *sent) in spans.items():
                known = self._spans.setdefault(key, [first, last, *sent])
                known[:] = [
                    min(known[0], first),
                    max(known[1], last),
                    *(max(pair) for pair in zip(known[2:], sent, strict=True)),
                ]
        for frame, (packets, size) in facts.frames.items():
            self._frames[frame, "packets"] += packets
            self._frames[frame, "bytes"] += size

    def flows(self) -> list[Any]:
        """Each flow with its slices and hellos, in an order of its own."""
        out = []
        for number, flow in self._flows.items():
            client, server = self._ends[number]
            slices = sorted(self._slices.get(number, {}).items())
            hellos = sorted(self._hellos.get(number, {}).items())
            out.append((flow._replace(number=0, client=client, server=server), slices, hellos))
        return sorted(out, key=repr)

    def rest(self) -> dict[str, Any]:
        """All that belongs to no flow, and what should belong to one and does not."""
        lost = {number for number in {*self._slices, *self._hellos} if number not in self._flows}
        return {"dns": self._dns, "spans": self._spans, "frames": self._frames, "lost": lost}

    def all(self) -> tuple[list[Any], dict[str, Any]]:
        """Everything, to be compared with ==."""
        return self.flows(), self.rest()
