"""A core of the flow table whose conversations note what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daemon.flow.conversation import Talk
from daemon.flow.core import CoreName, make_core
from daemon.flow.facts import Endpoints, Facts
from daemon.flow.tally import FlowKey
from tests.support.packets import START_US

Call = tuple[Any, ...]


class Recorder:
    """A core whose conversations note what happens to them. `wants` is what one wants at first and after each payload."""

    def __init__(self, core: CoreName, wants: int = 0, fail: str = "") -> None:
        self.wants, self.fail = wants, fail
        self.calls: list[Call] = []
        self.endpoints = Numbers(self)
        self.core, made = make_core(core, self.endpoints, Facts())
        self.made = type("Recording", (made,), {"__slots__": (), "inspect": self._inspect, "release": self._release})
        self.core, _ = make_core(core, self.endpoints, self.core.facts, self.made)

    def note(self, *call: object) -> None:
        """Remember this, or fail."""
        if call[0] == self.fail:
            raise LookupError(call[0])
        self.calls.append(call)

    @property
    def _inspect(self) -> Callable[..., int]:
        def inspect(flow: Talk, _facts: Facts, *said: object) -> int:
            self.note("inspect", flow.key, *said)
            return self.wants

        return inspect

    @property
    def _release(self) -> Callable[..., None]:
        def release(flow: Talk, facts: Facts, end: str, live: bool) -> None:
            assert facts is self.core.facts
            assert live is False
            self.note(
                "release", flow.key, end, flow.packets, flow.bytes, flow.first_us, flow.last_us, flow.macs, flow.ends
            )

        return release


class Numbers(Endpoints):
    """Endpoints that may fail, and that see who asks."""

    __slots__ = ("_recorder",)

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def number(self, mac: int, version: int, address: int) -> int:
        """See Endpoints."""
        if self._recorder.fail == "number":
            raise LookupError("number")
        return super().number(mac, version, address)


def made(recorder: Recorder, number: int, key: FlowKey) -> Any:  # noqa: ANN401  its class is made at run time
    """A conversation of the recorder's core."""
    return recorder.made(number, key, 0, START_US)
