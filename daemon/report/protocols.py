"""Which protocols are spoken: packets, bytes and mean frame length of each, and their places in the three rankings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daemon.report.scope import Scope
from daemon.report.sums import Key, Sum, Sums, narrowed, read_wide
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import share_words

_COLUMNS = (
    Column("protocol", "Protocol"),
    Column("service", "Service"),
    Column("packets", "Packets", COUNT),
    Column("bytes", "Data", SIZE),
    Column("share", "Share of data", SHARE),
    Column("mean_length", "Mean length", SIZE),
    Column("rank_packets", "Place by packets", COUNT),
    Column("rank_bytes", "Place by data", COUNT),
    Column("rank_length", "Place by length", COUNT),
)
_LONGEST = 1600  # bytes of a frame on a usual network, with tags and tunnels
_JOINED = (
    "Packets longer than about 1.5 kB never were on the network: the computer that recorded had already joined several into"
    " one (offloading). The data is right; there were more packets than are counted."
)


def report(scope: Scope) -> Report:
    """One row a (protocol, service), those with most bytes first. Lengths are means of bytes a frame, on the wire."""
    return report_of(scope, read_wide(scope))


def report_of(scope: Scope, wide: Sums) -> Report:
    """The same of sums that were read before."""
    del scope
    sums = narrowed(wide, ("protocol", "service"))
    if not sums:
        return Report("Protocols", _COLUMNS, (), ("Nothing was recorded in this time.",))
    whole = sum(each.bytes for each in sums.values())
    places = [_places(sums, measure) for measure in (_packets, _bytes, _length)]
    rows = tuple(
        (
            key[0], key[1] or None, sums[key].packets, sums[key].bytes, sums[key].bytes / whole, _length(sums[key]),
            *(place[key] for place in places),
        )
        for key in sorted(sums, key=lambda key: places[1][key])
    )  # fmt: skip
    notes = (_JOINED,) if any(_length(each) > _LONGEST for each in sums.values()) else ()
    return Report("Protocols", _COLUMNS, rows, (_sentence(sums, places, whole),), notes)


def called(protocol: object, service: object) -> str:
    """What a protocol is called: its service, else itself."""
    return str(service or protocol)


def _sentence(sums: Mapping[Key, Sum], places: list[dict[Key, int]], whole: int) -> str:
    first = [next(key for key, place in each.items() if place == 1) for each in places]
    by_packets, by_bytes, by_length = (called(*key) for key in first)
    packets = sum(each.packets for each in sums.values())
    share = sums[first[1]].bytes / whole
    number = "One protocol was" if len(sums) == 1 else f"{len(sums)} protocols were"
    most = f"most data, {share_words(share)}, was {by_bytes}"
    most += " and so were most packets" if by_packets == by_bytes else f", most packets were {by_packets}"
    return (
        f"{number} spoken in {packets:,} packets; {most}; the longest frames, {_length(sums[first[2]]):,.0f} bytes in the"
        f" mean, were {by_length}."
    )


def _places(sums: Mapping[Key, Sum], measure: Callable[[Sum], float]) -> dict[Key, int]:
    order = sorted(sums, key=lambda key: (-measure(sums[key]), key))
    return {key: place for place, key in enumerate(order, 1)}


def _packets(total: Sum) -> float:
    return total.packets


def _bytes(total: Sum) -> float:
    return total.bytes


def _length(total: Sum) -> float:
    return total.bytes / total.packets
