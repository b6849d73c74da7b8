"""Templates, and how values are written in them: sizes, shares, times in the home's zone, texts from the network.

Rule 1: everything is escaped; what is markup already was made in `web.charts` or in a template.
Rule 2: text from the network stands in an element of its own with its own direction, and what has no picture (control
        characters, marks that turn the line around) is written out.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from daemon.classify.countries import COUNTRIES
from daemon.report.words import in_a_sentence
from web import charts
from web.charts.markup import made
from web.numbers import count, duration, share, size, unbroken
from web.words import WORDS

if TYPE_CHECKING:
    from web.visit import Visit

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_LONGEST = 253  # a domain name; longer texts are cut, and the whole stands in the title
_MOMENT = "%-d %b %Y, %H:%M"
PARTIES = {  # party -> what people read
    "first": "maker's own",
    "support": "infrastructure",
    "platform": "IoT platform",
    "third": "third party",
    "local": "in the house",
    "unknown": "unknown",
}
_PARTY = {word: Markup('<span class="party party-{0}">{1}</span>').format(word, said) for word, said in PARTIES.items()}


class Templates:
    """The pages' templates, ready to be filled."""

    def __init__(self, version: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._environment.filters.update(_FILTERS)
        digests = {str(path.relative_to(STATIC)): _digest(path) for path in STATIC.rglob("*") if path.is_file()}
        self._environment.globals.update(
            version=version, charts=charts, PARTIES=PARTIES, WORDS=WORDS,
            static=lambda name: f"/static/{name}?v={digests[name]}",
        )  # fmt: skip

    def render(self, template: str, **values: object) -> str:
        """A filled template."""
        return self._environment.get_template(template).render(**values)


def shown(text: object) -> str:
    """A text with everything invisible written out, of bounded length."""
    whole = "" if text is None else str(text)
    cut = whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)


def prose(text: object) -> str:
    """A sentence of ours, with what is invisible in the names that it quotes written out."""
    return unbroken(shown(text))


def said(text: object) -> Markup:
    """Text from the network or from a person, as an element that keeps its direction to itself."""
    return Markup(f"<bdi>{escape(prose(text))}</bdi>")  # noqa: S704  escaped


def country(code: str | None) -> str:
    """`Germany` of `DE`"""
    found = COUNTRIES.get(code) if code else None
    return found.name if found else code or "unknown country"


def party(word: str | None) -> Markup:
    """A label with the party's colour, and its words beside it."""
    return _PARTY.get(word or "", _PARTY["unknown"])


@pass_context
def when(context: Context, time_us: int | None, form: str = _MOMENT) -> Markup:
    """A time in the home's zone, as an element that carries the exact one."""
    if time_us is None:
        return Markup("")
    return moment(time_us, cast("Visit", context["visit"]).zone, form)


@pass_context
def wall(context: Context, time_us: int | None, form: str = _MOMENT) -> Markup:
    """A time that the clock on the wall told, when a person did something; "never" where there is none."""
    return Markup("never") if time_us is None else moment(time_us, cast("Visit", context["visit"]).wall_zone, form)


@pass_context
def ago(context: Context, time_us: int | None) -> Markup:
    """How long before the home's newest packet something was."""
    if time_us is None:
        return Markup("never")
    visit = cast("Visit", context["visit"])
    seconds = (visit.newest_us - time_us) / 1_000_000
    words = "just now" if seconds < 90 else f"{duration(seconds)} ago"
    return made(f'<span title="{escape(when(context, time_us).striptags())}">{words}</span>')


def path(text: object) -> str:
    """A text as one part of an address's path."""
    return quote(str(text), safe=":")


def moment(time_us: int, zone: str, form: str = _MOMENT) -> Markup:
    """A time in a zone, as an element that carries the exact one."""
    at = datetime.fromtimestamp(time_us / 1_000_000, ZoneInfo(zone))
    words = escape(format(at, form))
    return Markup(f'<time datetime="{at.isoformat(timespec="seconds")}">{words}</time>')  # noqa: S704  escaped


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


_FILTERS = {
    "size": lambda number: unbroken(size(number)), "count": count, "share": lambda fraction: unbroken(share(fraction)),
    "duration": duration, "shown": shown, "prose": prose, "unbroken": unbroken, "said": said, "country": country,
    "party": party, "when": when, "wall": wall, "ago": ago, "path": path,
    "in_a_sentence": in_a_sentence, "escape_text": escape,
}  # fmt: skip
