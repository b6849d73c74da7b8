"""Devices in writing: the list and the page of one device, for people, spreadsheets and programs.

Rule: a table leaves out what is empty for every device; CSV and JSON always have every column, in one order.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from appliance.cli.export import write_csv
from appliance.console import LEFT, RIGHT, printable, reader_may_leave, say, size, table
from daemon.store.roster import Contact, Reason, Resident, Said, Seen
from daemon.store.words import Word, mac_key

_SHOWN_ADDRESSES = 2
_LEVELS = {"no-names": "without names", "off": "not at all", "full": "in full"}
_GAP = 3  # between columns of a table
_LEAST_FIRST = (
    "first seen",
    "named by",
    "addresses",
    "mac",
    "owner",
    "room",
    "vendor",
    "kind",
    "received",
    "sent",
    "last seen",
)
_FOLDS = {"name": 22, "vendor": 12, "kind": 12, "owner": 12, "room": 12}  # letters, after which a text may go on below
Cell = Callable[[Resident], object]


class Clock:
    """Times as people of the house read them."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._zone = UTC if zone == "UTC" else ZoneInfo(zone)

    def text(self, time_us: int | None) -> str:
        """`2025-06-01 18:30` in the site's zone; empty for never."""
        if time_us is None:
            return ""
        return datetime.fromtimestamp(time_us // 1_000_000, self._zone).strftime("%Y-%m-%d %H:%M")


def _addresses(resident: Resident) -> str:
    shown = [seen.address for seen in resident.addresses[:_SHOWN_ADDRESSES]]
    more = len(resident.addresses) - len(shown)
    return " ".join(shown) + (f" +{more}" if more else "")


def _mac(resident: Resident) -> str:
    more = sum(mac_key(key) is not None and key != resident.mac for key in resident.keys)
    random = " (random)" if resident.mac_random else ""
    return f"{resident.mac or ''}{random}" + (f" +{more}" if more else "")


def _recorded(resident: Resident, clock: Clock) -> str:
    """Empty where it is recorded in full, so that a house without levels has no such column."""
    if resident.level_since_us is None:
        return ""
    return f"{_LEVELS[resident.level]} since {clock.text(resident.level_since_us)}"


# Every field of a device, in the order of CSV and JSON.
_FIELDS: tuple[tuple[str, Cell], ...] = (
    ("device_id", lambda d: d.device_id),
    ("site", lambda d: d.site),
    ("name", lambda d: d.name),
    ("name_source", lambda d: d.name_source),
    ("vendor", lambda d: d.vendor),
    ("model", lambda d: d.model),
    ("kind", lambda d: d.kind),
    ("system", lambda d: d.system),
    ("owner", lambda d: d.owner),
    ("room", lambda d: d.room),
    ("mac", lambda d: d.mac),
    ("mac_random", lambda d: None if d.mac_random is None else bool(d.mac_random)),
    ("stations", lambda d: d.keys),
    ("addresses", lambda d: [seen.address for seen in d.addresses]),
    ("recording", lambda d: d.level),
    ("recording_since_us", lambda d: d.level_since_us),
    ("first_seen_us", lambda d: d.first_us),
    ("last_seen_us", lambda d: d.last_us),
    ("bytes_up", lambda d: d.bytes_up),
    ("bytes_down", lambda d: d.bytes_down),
)


def _columns(clock: Clock) -> tuple[tuple[str, str, Cell], ...]:
    """What the list shows: heading, side, cell."""
    return (
        ("id", RIGHT, lambda d: d.device_id),
        ("name", LEFT, lambda d: d.name or f"(no name, {d.said_of[-5:] if d.mac else d.said_of})"),
        ("named by", LEFT, lambda d: d.name_source),
        ("vendor", LEFT, lambda d: d.vendor),
        ("kind", LEFT, lambda d: d.kind),
        ("owner", LEFT, lambda d: d.owner),
        ("room", LEFT, lambda d: d.room),
        ("mac", LEFT, _mac),
        ("addresses", LEFT, _addresses),
        ("recorded", LEFT, lambda d: _recorded(d, clock)),
        ("first seen", LEFT, lambda d: clock.text(d.first_us)),
        ("last seen", LEFT, lambda d: clock.text(d.last_us)),
        ("sent", RIGHT, lambda d: size(d.bytes_up)),
        ("received", RIGHT, lambda d: size(d.bytes_down)),
    )


def list_table(residents: Sequence[Resident], site: str, clock: Clock, width: int | None = None) -> None:
    """For people. Where the lines would not fit into `width` characters, the least of the columns are left out."""
    columns = [
        (heading, side, [printable("" if (value := cell(each)) is None else value) for each in residents])
        for heading, side, cell in _columns(clock)
    ]
    columns = [column for column in columns if any(column[2])]
    left_out = []
    for heading in _LEAST_FIRST if width else ():
        if sum(_width(head, cells) + _GAP for head, _, cells in columns) - _GAP <= (width or 0):
            break
        left_out += [heading for head, _, _ in columns if head == heading]
        columns = [column for column in columns if column[0] != heading]
    hint = f"; a wider window shows {', '.join(left_out)}" if left_out else ""
    title = f"Devices of site {site} ({len(residents)}; times in {clock.zone}{hint})"
    _table(title, [column[:2] for column in columns], list(zip(*(cells for _, _, cells in columns), strict=True)))


def _width(heading: str, cells: Sequence[str]) -> int:
    return max(len(heading), min(max(map(len, cells)), _FOLDS.get(heading, sys.maxsize)))


def list_csv(residents: Sequence[Resident]) -> None:
    """For spreadsheets; several values of one field stand in it separated by spaces."""
    rows = [[_flat(cell(each)) for _, cell in _FIELDS] for each in residents]
    with reader_may_leave():
        write_csv(sys.stdout, [name for name, _ in _FIELDS], rows)


def list_json(residents: Sequence[Resident]) -> None:
    """For programs: an array of objects."""
    say(_json([_object(each) for each in residents]))


def page_table(
    resident: Resident, clock: Clock, reasons: Sequence[Reason], said: Sequence[Said], more_said: bool,
    words: Sequence[Word], contacts: Sequence[Contact],
) -> None:  # fmt: skip
    """All that is known of one device, for people."""
    facts = [(heading, cell(resident)) for heading, _, cell in _columns(clock)]
    facts += [("model", resident.model), ("system", resident.system)]
    known = [fact for fact in facts if fact[1] not in (None, "")]
    _table(
        f"Device {resident.device_id} of site {resident.site} (times in {clock.zone})", [("", LEFT), ("", LEFT)], known
    )
    _table(
        "Why it is taken for that",
        [("about", LEFT), ("value", LEFT), ("source", LEFT), ("what was seen", LEFT)],
        reasons,
    )
    _table(
        "Addresses",
        [("station", LEFT), ("address", LEFT), ("first seen", LEFT), ("last seen", LEFT)],
        [
            (member.key, seen.address, clock.text(seen.first_us), clock.text(seen.last_us))
            for member in resident.members
            for seen in member.addresses
        ],
    )
    _table(
        "What it says of itself" + (" (the latest; `homeport export device_hints` has all)" if more_said else ""),
        [("over", LEFT), ("key", LEFT), ("value", LEFT), ("first seen", LEFT), ("last seen", LEFT)],
        [(*each[:3], clock.text(each.first_us), clock.text(each.last_us)) for each in said],
    )
    _table(
        "What was said of it",
        [("word", RIGHT), ("when", LEFT), ("by", LEFT), ("what", LEFT), ("undone", LEFT)],
        [(w.act, clock.text(w.said_us), w.by, word_text(w), _undone(w, clock)) for w in words],
    )
    _table(
        "Where it sends and receives most",
        [
            ("destination", LEFT), ("party", LEFT), ("organisation", LEFT), ("country", LEFT), ("sent", RIGHT),
            ("received", RIGHT), ("first seen", LEFT), ("last seen", LEFT),
        ],
        [(*c[:4], size(c[4]), size(c[5]), clock.text(c[6]), clock.text(c[7])) for c in contacts],
    )  # fmt: skip


def page_json(
    resident: Resident,
    reasons: Sequence[Reason],
    said: Sequence[Said],
    words: Sequence[Word],
    contacts: Sequence[Contact],
) -> None:
    """All that is known of one device, for programs: one object."""
    page = _object(resident)
    page["stations"] = [
        {"key": member.key, "names": list(member.names), "addresses": _objects(member.addresses)}
        for member in resident.members
    ]
    page["evidence"] = _objects(reasons)
    page["hints"] = _objects(said)
    page["words"] = [
        {
            "word": w.act, "key": w.key, "about": w.about, "value": w.value, "said_us": w.said_us, "by": w.by,
            "undone_us": w.undone_us, "undone_by": w.undone_by,
        }
        for w in words
    ]  # fmt: skip
    page["destinations"] = _objects(contacts)
    say(_json(page))


_WORD_TEXTS: dict[str, str] = {"join": "{key} and {value} are one device", "split": "{key} and {value} are two devices"}


def word_text(word: Word) -> str:
    """What somebody said, as a sentence without its verb: `name of 02:...: "Telly"`."""
    if word.about in _WORD_TEXTS:
        return _WORD_TEXTS[word.about].format(key=word.key, value=word.value)
    return f"{word.about} of {word.key}: " + ("taken back" if word.value is None else f'"{word.value}"')


def _undone(word: Word, clock: Clock) -> str:
    return "" if word.undone_us is None else f"{clock.text(word.undone_us)} by {word.undone_by}"


def _table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        table(title, columns, rows)


def _flat(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _object(resident: Resident) -> dict[str, object]:
    return {name: cell(resident) for name, cell in _FIELDS}


def _objects(rows: Iterable[Seen | Reason | Said | Contact]) -> list[dict[str, object]]:
    """Rows by the names that the public views have for their columns."""
    public = {"first_us": "first_seen_us", "last_us": "last_seen_us"}
    return [{public.get(name, name): value for name, value in row._asdict().items()} for row in rows]


def _json(value: object) -> str:
    """Readable, but for characters that a terminal might obey: a device's name is somebody else's text."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
