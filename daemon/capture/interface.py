"""A network interface as a source of packets: libpcap through pcapy-ng.

Rule 1: never wait inside libpcap. On a quiet link its own waiting does not end for a signal; the handle does not block,
        and `select` waits instead.
Rule 2: nothing is parsed, and packets come in batches: one call for hundreds of them.
Rule 3: the ring is large (32 MB), so that a card that is busy for a second or two costs nothing.
Rule 4: who is not to be recorded is left out by the kernel, and once more here: packets that the ring held when the filter
        was changed, and devices for which the filter has no room. With nobody to leave out that costs nothing.
Rule 5: an interface that goes away is not a fault of ours: `LostError`, and whoever reads tries again later.
"""

from __future__ import annotations

import select
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pcapy

from daemon.capture.own import both, own_addresses, without_devices, without_own
from daemon.capture.records import WHOLE, Batch, batch_of
from daemon.capture.source import FilterError, InterfaceError, LostError
from daemon.capture.swap import attach, program_of
from daemon.capture.unnamed import shaped
from daemon.decode.levels import Levels

MOST = 512  # packets of a batch; of the largest that a network card puts together, they fill the ring just once

NOBODY = Levels()
ETHERNET = 1  # LINKTYPE_ETHERNET

_RING = 32 << 20
_SMALL_RING = 1 << 20
_RETIRE_MS = 100  # after so long the kernel hands over a block of the ring that is not full
_U32 = 1 << 32  # libpcap's counters wrap there: at 10,000 packets a second, every five days

# Return codes of pcap_activate(3PCAP). Positive ones are warnings: no promiscuous mode, say; it works without.
_NO_DEVICE, _NO_PERMISSION, _DOWN, _NO_PROMISCUOUS_PERMISSION = -5, -8, -9, -11


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be captured."""

    interface: str
    filter: str = ""
    own_ports: tuple[int, ...] = ()  # of the box, left out; empty: nothing is


class Interface:
    """An interface that is being captured. Raises InterfaceError where it cannot be."""

    def __init__(
        self,
        wanted: Wanted,
        addresses: Callable[[], tuple[str, ...]] = own_addresses,
        *,
        batches: bool = True,
        levels: Levels = NOBODY,
    ) -> None:
        """`addresses`: the box's own. `batches`: False takes packets one by one, as older versions of pcapy-ng do."""
        self._wanted = wanted
        self._levels = levels
        self._off, self._no_names = frozenset(levels.off), frozenset(levels.no_names)
        self._addresses = addresses
        self._expression = self._own = ""
        self._handle, self._link = _opened(wanted.interface)
        self._batches = batches and hasattr(self._handle, "next_batch")
        self._seen = (0, 0)
        try:
            self._check_levels()
            self._set_first_filter()
            self._handle.setnonblock(1)
            self._descriptor: int = self._handle.getfd()
        except BaseException:
            self.close()
            raise

    @property
    def link(self) -> int:
        """See Source."""
        return self._link

    @property
    def expression(self) -> str:
        """The filter that is set, but for devices, whom nothing beside the captures should name; "" for none."""
        return both(self._own, self._wanted.filter)

    def wait(self, seconds: float) -> None:
        """See Source."""
        select.select([self._descriptor], [], [], seconds)

    def take(self) -> tuple[Batch, bool]:
        """See Source."""
        try:
            batch = batch_of(*self._handle.next_batch(MOST)) if self._batches else self._one_by_one()
        except pcapy.PcapError as error:
            raise LostError(f"{self._wanted.interface}: {error}") from error
        taken = len(batch)
        if self._off or self._no_names:
            batch = shaped(batch, self._off, self._no_names)
        return batch, taken < MOST

    def _one_by_one(self) -> Batch:
        pieces: list[bytes] = []
        heads = array("I")
        at = 0

        def seen(header: Any, data: bytes) -> None:  # noqa: ANN401 - pcapy has no types
            nonlocal at
            heads.extend((*header.getts(), at, len(data)))
            pieces.append(data)
            at += len(data)

        self._handle.dispatch(MOST, seen)
        return Batch(b"".join(pieces), heads)

    def drops(self) -> tuple[int, int]:
        """See Source."""
        try:
            _, kernel, interface = self._handle.stats()
        except pcapy.PcapError as error:
            raise LostError(f"{self._wanted.interface}: {error}") from error
        before, self._seen = self._seen, (kernel, interface)
        return (kernel - before[0]) % _U32, (interface - before[1]) % _U32

    def tend(self) -> None:
        """The box's addresses change (DHCP, a prefix): the filter that leaves out its own traffic follows."""
        try:
            expression = self._current_expression()
        except OSError:
            return  # a moment in which the kernel does not answer; the filter that is set was right until now
        if expression != self._expression:
            self._swap_filter(expression)

    def heed(self, levels: Levels) -> None:
        """See Source. What was taken before stays; what the ring holds is handed over by the new levels."""
        self._levels = levels
        self._off, self._no_names = frozenset(levels.off), frozenset(levels.no_names)
        self._check_levels()
        self.tend()

    def _check_levels(self) -> None:
        if self._levels and self._link != ETHERNET:
            raise LostError(
                f"{self._wanted.interface} shows no MACs, so that devices whose owner wishes it cannot be left out;"
                " nothing is recorded here as long as there are any"
            )

    def close(self) -> None:
        """See Source."""
        self._handle.close()

    def _set_first_filter(self) -> None:
        try:
            expression = self._current_expression()
        except OSError as error:
            raise InterfaceError(
                f"this machine's own addresses cannot be read ({error}), so that its own traffic cannot be left out;"
                " --no-exclude-own records it as well"
            ) from error
        if expression:
            self._set_filter(expression)

    def _current_expression(self) -> str:
        self._own = without_own(self._addresses(), self._wanted.own_ports) if self._wanted.own_ports else ""
        return both(without_devices(self._levels.off), self._own, self._wanted.filter)

    def _swap_filter(self, expression: str) -> None:
        try:
            aside, _ = _opened(self._wanted.interface, _SMALL_RING)
            try:
                aside.setfilter(expression)
                program = program_of(aside)
            finally:
                aside.close()
            if program is None:
                self._handle.setfilter(expression)  # too long for the kernel: libpcap filters
            else:
                attach(self._descriptor, program)
        except (pcapy.PcapError, InterfaceError, OSError) as error:
            # It was understood before: it is the interface that has gone.
            raise LostError(f"{self._wanted.interface}: {error}") from error
        self._expression = expression

    def _set_filter(self, expression: str) -> None:
        try:
            self._handle.setfilter(expression)
        except pcapy.PcapError as error:
            raise FilterError(f"the filter {self._wanted.filter!r} is not understood: {error}") from error
        self._expression = expression


def interfaces() -> list[str]:
    """The names of the interfaces there are, in the kernel's order."""
    return sorted(path.name for path in Path("/sys/class/net").iterdir())


def _opened(name: str, ring: int = _RING) -> tuple[Any, int]:
    try:
        handle = pcapy.create(name)
        handle.set_snaplen(WHOLE)
        handle.set_promisc(1)
        handle.set_timeout(_RETIRE_MS)
        handle.set_buffer_size(ring)
        status = handle.activate()
        if status < 0:
            raise refusal(name, status)
        return handle, handle.datalink()
    except pcapy.PcapError as error:
        raise InterfaceError(f"{name}: {error}") from error


def refusal(name: str, status: int) -> InterfaceError:
    """The error for a return code of pcap_activate(3PCAP)."""
    if status == _NO_DEVICE:
        return LostError(f"there is no interface {name}; there are {', '.join(interfaces()) or 'none'}")
    if status in (_NO_PERMISSION, _NO_PROMISCUOUS_PERMISSION):
        return InterfaceError(
            f"{name}: capturing takes the capability CAP_NET_RAW, which this process does not have; run it as the unit"
            " homeport-capture.service, as root, or through"
            " `setpriv --ambient-caps +net_raw --inh-caps +net_raw`"
        )
    if status == _DOWN:
        return LostError(f"{name} is down")
    return InterfaceError(f"{name}: libpcap cannot capture it (error {status})")
