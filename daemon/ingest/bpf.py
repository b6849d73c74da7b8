"""Filter expressions as tcpdump has them, compiled by libpcap."""

from __future__ import annotations

from collections.abc import Callable

from daemon.decode.links import LINK_NAMES

_SNAPLEN = 262_144
_NO_NETMASK = 0xFFFFFFFF  # PCAP_NETMASK_UNKNOWN: nobody says which network is ours
_RAW, _DLT_RAW = 101, 12  # the number in files, and libpcap's own on this system


class BadFilterError(Exception):
    """An expression that cannot be used; the message says why."""


class Filter:
    """One expression, compiled for each link type when its first packet comes."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._programs: dict[int, Callable[[bytes], int]] = {}

    def prepare(self, link: int) -> None:
        """Compile for a link type. Raises BadFilterError."""
        if link in self._programs:
            return
        try:
            import pcapy  # noqa: PLC0415  loads libpcap, which few commands need
        except ImportError as error:
            raise BadFilterError(f"filters need libpcap, which cannot be loaded here ({error})") from error
        try:
            number = _DLT_RAW if link == _RAW else link
            program = pcapy.compile(number, _SNAPLEN, self._expression, 1, _NO_NETMASK)
        except (pcapy.PcapError, ValueError) as error:
            name = LINK_NAMES.get(link, str(link))
            raise BadFilterError(f"the filter cannot be used on link type {name}: {error}") from error
        self._programs[link] = program.filter

    def __call__(self, link: int, frame: bytes) -> bool:
        """Whether the filter accepts a frame; only captured bytes count. Raises BadFilterError."""
        program = self._programs.get(link)
        if program is None:
            self.prepare(link)
            program = self._programs[link]
        return bool(program(frame))
