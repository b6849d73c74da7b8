"""`homeport forget DEVICE`: its packets, facts, sums and words go for good.

Rule 1: nothing can be undone here, so it is asked first; where nobody can answer, `--yes` has to say so.
Rule 2: what could not be removed is named with the reason, and the exit code says that there is some.
Rule 3: where more has to go than was asked, because only the sum of a month is left, the question says so beforehand.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import click

from appliance.config import load_config
from appliance.console import CannotDoError, note, plural, printable, say, size
from appliance.main import DONE, SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.household import Household
    from daemon.ingest.forget import Forgotten, Request
    from daemon.store.roster import Resident


@click.command("forget")
@click.argument("device")
@click.option(
    "--since", metavar="DATE", help="Forget what was seen from this day on (2025-07-14); what is before stays."
)
@click.option("--db", "database", metavar="FILE", help="Database that is meant. [store.database]")
@click.option("--owner", "owner_file", metavar="FILE", help="File of the owner's words. [store.owner]")
@click.option("--site", metavar="NAME", help="Home that is meant. [site.name]")
@click.option(
    "--pcaps/--keep-pcaps", default=True, help="Whether its packets go from the captures, too.", show_default=True
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    device: str,
    since: str | None,
    database: str | None,
    owner_file: str | None,
    site: str | None,
    pcaps: bool,
    yes: bool,
) -> int:
    """Forget a device for good.

    DEVICE is a name, a MAC, an address, or the number in the list; all its stations are forgotten. Its flows, names,
    DNS questions and sums go from the database, its packets from the captures that the database knows, and what was
    said about it from the owner's words. With --since it stays known, with all that was seen before; of a month that
    only sums are left of, what cannot be divided by days goes as a whole.
    """
    from appliance.household import read_household
    from daemon.report.lookup import described

    day = _date(since)
    house = read_household(load_config({"store.database": database, "store.owner": owner_file, "site.name": site}))
    resident = house.find(device).resident
    who = printable(described(resident))
    request = _request(house, resident, day, pcaps=pcaps)
    if not yes:
        _ask(who, resident, since, _more(house, request), pcaps=pcaps)
    done = _forget(house, request)
    words = _forget_words(house, resident) if day is None else 0
    for line in _told(who, since, done, words):
        say(line)
    for what, why in done.left:
        note(f"not forgotten: {printable(what)}: {printable(why)}")
    return SET_ASIDE if done.left else DONE


def _date(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--since wants a day such as 2025-07-14, not {printable(text)!r}") from None


def _more(house: Household, request: Request) -> str:
    from daemon.ingest.forget import undivided

    return "" if request.since_us is None else _whole(undivided(house.config.store.database, request))


def _whole(months: Sequence[tuple[str, int]]) -> str:
    """Which sums have more in them than was asked for."""
    told = [f"{plural(count, 'destination')} of {month}" for month, count in months]
    return f"the sums of {', '.join(told)}, with what was before that day" if told else ""


def _ask(who: str, resident: Resident, since: str | None, more: str, *, pcaps: bool) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("what is forgotten cannot be brought back; add --yes where nobody can be asked")
    stations = "" if len(resident.keys) == 1 else f" with its {plural(len(resident.keys), 'station')}"
    when = f" since {since}" if since else ""
    where = "the database and the captures" if pcaps else "the database; the captures keep its packets"
    whole = f" Only sums by month are left of some of it, so that these go whole: {more}." if more else ""
    question = f"Forget {who}{stations}{when}, in {where}?{whole} It cannot be brought back."
    if not click.confirm(question, err=True):
        raise CannotDoError("nothing was forgotten")


def _forget(house: Household, request: Request) -> Forgotten:
    from appliance.knowledge import knowledge_of
    from daemon.ingest.forget import forget_device

    return forget_device(house.config.store.database, request, knowledge_of(house.config), _heard)


def _request(house: Household, resident: Resident, day: date | None, *, pcaps: bool) -> Request:
    from daemon.decode.slots import SLOT_US
    from daemon.ingest.forget import Request
    from daemon.store.calendar import Calendar
    from daemon.store.words import mac_key

    stations = tuple((int(key.replace(":", ""), 16), "") if mac_key(key) else (-1, key) for key in resident.keys)
    since_us = None if day is None else Calendar(house.zone).midnight(day) * SLOT_US
    return Request(house.site, stations, since_us, pcaps)


def _heard(path: str, done: int, every: int) -> None:
    if every < 3 or done == every:
        return
    line = f"{done + 1} of {plural(every, 'capture')}: {printable(path)}"
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}" + ("\n" if done + 1 == every else ""), nl=False, err=True)
    elif not done % 10:
        note(line)


def _forget_words(house: Household, resident: Resident) -> int:
    from daemon.store.owner import forget, open_owner

    if not house.config.store.owner.exists():
        return 0
    with closing(open_owner(house.config.store.owner)) as db:
        return forget(db, house.site, resident.keys)


def _told(who: str, since: str | None, done: Forgotten, words: int) -> list[str]:
    when = f" since {since}" if since else ""
    lines = [f"{who} is forgotten{when}."]
    if done.packets or done.sums:
        lines.append(f"  database  {plural(done.packets, 'packet')} and {plural(done.sums, 'row')} of sums")
    if done.whole:
        lines.append(f"  months    could not be divided by days, and went whole: {_whole(done.whole)}")
    if done.files:
        lines.append(f"  captures  {plural(done.frames, 'packet')} in {plural(done.files, 'file')}, written anew")
    if done.skipped:
        lines.append(f"            {size(done.skipped)} of them could not be read, and were left out")
    if done.untouched:
        lines.append(f"  captures  {plural(done.untouched, 'file')} kept as asked, with its packets")
    if words:
        lines.append(f"  words     {plural(words, 'word')} of its owner")
    return lines
