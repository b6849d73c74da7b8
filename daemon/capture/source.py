"""What a recording asks of whatever packets come from, and what can be wrong with it."""

from __future__ import annotations

from typing import Protocol

from daemon.capture.records import Batch
from daemon.decode.levels import Levels


class InterfaceError(Exception):
    """The interface cannot be captured; the message says why and what to do."""


class LostError(InterfaceError):
    """It is not there at the moment, and may come back."""


class FilterError(InterfaceError):
    """libpcap does not understand the filter."""


class Source(Protocol):
    """Where packets come from."""

    @property
    def link(self) -> int:
        """The link type, as pcap files have it."""

    def wait(self, seconds: float) -> None:
        """Until there is something to take, at most so long."""

    def take(self) -> tuple[Batch, bool]:
        """What has come, and whether that was all there was. Raises LostError."""

    def drops(self) -> tuple[int, int]:
        """Packets lost in the kernel and in the interface since this was asked last. Raises LostError."""

    def tend(self) -> None:
        """Called every few seconds: look after what changes by itself."""

    def heed(self, levels: Levels) -> None:
        """From now on hand over nothing of some devices, and of others only headers. Raises LostError."""

    def close(self) -> None:
        """Give it back."""
