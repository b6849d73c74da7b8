"""`homeport devices`: who is in the house, and what the owner says about it.

Rule 1: a device is addressed as people know it: by name, MAC, address or number; what is unclear is asked back.
Rule 2: every change is told in one line, with the command that undoes it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from appliance.config import load_config
from appliance.console import CannotDoError, note, printable, say
from appliance.main import DONE, SET_ASIDE

if TYPE_CHECKING:
    from appliance.household import Household
    from daemon.report.pairing import Pair
    from daemon.store.roster import Resident
    from daemon.store.words import Word

_VALUED = ("--db", "--owner", "--site", "--format")  # may stand before the word that says what to do
_MOST_CONTACTS = 15
_NOW = {"name": "is called", "owner": "belongs to", "room": "is in", "kind": "counts as"}


class _ListFirst(click.Group):
    """`homeport devices` alone lists; `homeport devices --db FILE show tv` is `show tv --db FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = 0
        while at < len(args) and args[at].partition("=")[0] in _VALUED:
            at += 1 if "=" in args[at] else 2
        word = args[at] if at < len(args) else "--"
        if word in self.commands or word in ctx.help_option_names:
            return super().parse_args(ctx, [word, *args[:at], *args[at + 1 :]])
        if word.startswith("-"):
            return super().parse_args(ctx, ["list", *args])
        return ctx.fail(f"no {printable(word)!r} of devices; there are {', '.join(self.commands)}")

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)  # in the order of their use


@click.group("devices", cls=_ListFirst)
def command() -> None:
    """Show the devices of the house; name, join and split them.

    DEVICE is a name, a MAC, an address, or the number in the list. Without another word the devices are listed.
    """


def _placed(action: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say where things are."""
    for option in (
        click.option("--site", metavar="NAME", help="Home that is meant. [site.name]"),
        click.option("--owner", "owner_file", metavar="FILE", help="File of the owner's words. [store.owner]"),
        click.option("--db", "database", metavar="FILE", help="Database that is meant. [store.database]"),
    ):
        action = option(action)
    return action


def _form(*forms: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--format", "form", type=click.Choice(forms), default="table", show_default=True, help="How to write."
    )


def _household(database: str | None, owner_file: str | None, site: str | None) -> Household:
    from appliance.household import read_household

    return read_household(load_config({"store.database": database, "store.owner": owner_file, "site.name": site}))


@contextmanager
def _bad_words_are_wrong_use() -> Iterator[None]:
    from daemon.store.words import BadWordError

    try:
        yield
    except BadWordError as error:
        raise click.UsageError(printable(error), click.get_current_context()) from error


@command.command("list")
@_placed
@_form("table", "csv", "json")
def list_devices(form: str, **places: str | None) -> None:
    """List every device, those with most traffic first."""
    from appliance import roster

    house = _household(**places)
    if form == "csv":
        roster.list_csv(house.residents)
    elif form == "json":
        roster.list_json(house.residents)
    elif house.residents:
        width = shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
        roster.list_table(house.residents, house.site, roster.Clock(house.zone), width)
    else:
        say(f"There are no devices of site {printable(house.site)} yet.")


@command.command("show")
@click.argument("device")
@_placed
@_form("table", "json")
def show_device(device: str, form: str, **places: str | None) -> None:
    """Show all that is known of a device, and why."""
    from appliance import roster
    from daemon.store.database import read_database
    from daemon.store.errors import explained
    from daemon.store.roster import read_contacts, read_hints, read_reasons

    house = _household(**places)
    resident = house.find(device).resident
    path = house.config.store.database
    with closing(read_database(path)) as db, explained(path):
        reasons = read_reasons(db, resident.device_id)
        said, more = read_hints(db, resident.device_id)
        contacts = read_contacts(db, resident.device_id, _MOST_CONTACTS)
    words = house.history(resident.keys)
    if form == "json":
        roster.page_json(resident, reasons, said, words, contacts)
    else:
        roster.page_table(resident, roster.Clock(house.zone), reasons, said, more, words, contacts)


def _add_saying(about: str, what: str) -> None:
    """The command that says one thing about a device."""

    @command.command(about, help=f"Say {what}, or take it back with --clear.")
    @click.argument("device")
    @click.argument("value", required=False, metavar=f"[{about.upper()}]")
    @click.option("--clear", is_flag=True, help="Take back what was said.")
    @_placed
    def saying(device: str, value: str | None, clear: bool, **places: str | None) -> int:
        if clear == (value is not None):
            raise click.UsageError(f"say the {about}, or --clear, and not both", click.get_current_context())
        house = _household(**places)
        resident = house.find(device).resident
        return _take_back(house, resident, about) if value is None else _say(house, resident, about, value)


@command.command("keep-names")
@click.argument("device")
@click.argument("answer", type=click.Choice(("yes", "no")))
@_placed
def keep_names(device: str, answer: str, **places: str | None) -> int:
    """Say whether months of a person's device keep names.

    Of phones, tablets and computers the names of destinations go with the detail (retention.detail_days); organisation,
    party and bytes stay. With `yes` the names stay as well, from now on. What is gone does not come back.
    """
    from appliance.household import speak
    from daemon.report.lookup import described
    from daemon.store import owner
    from daemon.store.words import KEEP_NAMES

    house = _household(**places)
    resident = house.find(device).resident
    who = printable(described(resident))
    kept = set(resident.keys) & house.words().keeps_names
    what = "keep their names" if answer == "yes" else "lose their names with the detail"
    if bool(kept) == (answer == "yes"):
        say(f"Destinations of {who} {what} already; nothing was changed.")
        return DONE
    keys = sorted(kept) or [resident.said_of]
    words = [(key, KEEP_NAMES, answer) for key in keys]
    act = speak(house, lambda db, by, now_us: owner.say_each(db, house.site, words, by, now_us))
    say(f"Destinations of {who} {what} from now on. {_to_undo(house, act)}")
    return DONE


@command.command("record")
@click.argument("device")
@click.argument("level", type=click.Choice(("full", "no-names", "off")))
@_placed
def record_device(device: str, level: str, **places: str | None) -> int:
    """Say how much of a device is recorded.

    `full` keeps every packet, `no-names` keeps headers alone (when, how much, which address), `off` keeps nothing. It
    holds from now on, for every MAC of the device; what was recorded before stays.
    """
    from appliance.recording import record

    house = _household(**places)
    with _bad_words_are_wrong_use():
        return record(house, device, level, lambda act: _to_undo(house, act))


def _say(house: Household, resident: Resident, about: str, value: str) -> int:
    from appliance.household import follow, speak
    from daemon.report.lookup import described
    from daemon.store import owner
    from daemon.store.words import checked

    with _bad_words_are_wrong_use():
        text = checked(about, value)
    if about == "name":
        _refuse_twins(house, resident, text)
    if getattr(house.words(), f"{about}s").get(resident.said_of) == text and getattr(resident, about) == text:
        say(f'{printable(described(resident))} {_NOW[about]} "{text}" already; nothing was changed.')
        return DONE
    act = speak(house, lambda db, by, now_us: owner.say(db, house.site, resident.said_of, about, text, by, now_us))
    after = follow(house)
    say(f'{printable(described(resident))} {_NOW[about]} "{text}" now. {_to_undo(house, act)}')
    return DONE if after else SET_ASIDE


def _refuse_twins(house: Household, resident: Resident, name: str) -> None:
    """Two devices of one name could no longer be told apart by it."""
    from daemon.report.lookup import described

    for each in house.residents:
        if each is not resident and each.name is not None and each.name.casefold() == name.casefold():
            raise CannotDoError(
                f"{printable(described(each))} is called so already; choose another name, or join the two if they are one"
                " device. Nothing was changed"
            )


def _take_back(house: Household, resident: Resident, about: str) -> int:
    from appliance.household import follow, speak
    from daemon.report.lookup import described
    from daemon.store import owner

    said = getattr(house.words(), f"{about}s")
    keys = [key for key in resident.keys if key in said]
    if not keys:
        say(f"Nobody has said the {about} of {printable(described(resident))}; nothing was changed.")
        return DONE
    words = [(key, about, None) for key in keys]
    act = speak(house, lambda db, by, now_us: owner.say_each(db, house.site, words, by, now_us))
    after = follow(house)
    holder = after.holder(resident.said_of) if after else None
    now = f" It is {printable(described(holder))} now." if holder and about == "name" else ""
    say(f'The {about} "{said[keys[-1]]}" of {keys[-1]} is taken back.{now} {_to_undo(house, act)}')
    return DONE if after else SET_ASIDE


@command.command("join")
@click.argument("device")
@click.argument("other")
@_placed
def join_devices(device: str, other: str, **places: str | None) -> int:
    """Say that two devices are one.

    One that has Wi-Fi and cable, for example, or a telephone that changes its MAC.
    """
    from daemon.report.lookup import NotFoundError, described
    from daemon.report.pairing import pairs_to_join

    house = _household(**places)
    first, second = house.find(device), house.find(other)
    try:
        pairs = pairs_to_join(first, second, house.words().splits)
    except NotFoundError as error:
        raise CannotDoError(printable(error)) from error
    names = f"{printable(described(first.resident))} and {printable(described(second.resident))}"
    return _pair_up(house, pairs, names, joined=True)


@command.command("split")
@click.argument("device")
@click.argument("other", required=False)
@_placed
def split_devices(device: str, other: str | None, **places: str | None) -> int:
    """Say that one device is two.

    DEVICE, or the MAC of a part of it, is split from OTHER, or from all the rest.
    """
    from daemon.report.lookup import NotFoundError
    from daemon.report.pairing import pairs_to_split

    house = _household(**places)
    first = house.find(device)
    second = house.find(other) if other is not None else None
    try:
        pairs = pairs_to_split(first, second)
    except NotFoundError as error:
        raise CannotDoError(f"{printable(error)}. Nothing was changed") from error
    names = " and ".join(", ".join(sorted({pair[side] for pair in pairs})) for side in (0, 1))
    return _pair_up(house, pairs, printable(names), joined=False)


def _pair_up(house: Household, pairs: list[Pair], names: str, *, joined: bool) -> int:
    from appliance.household import follow, speak
    from daemon.store import owner

    write = owner.join if joined else owner.split
    act = speak(house, lambda db, by, now_us: write(db, house.site, pairs, by, now_us))
    after = follow(house)
    what = "one device" if joined else "two devices"
    before = not joined and all(house.holder(ours) is not house.holder(theirs) for ours, theirs in pairs)
    say(f"{names} {f'were {what} already, and stay so' if before else f'are {what} now'}. {_to_undo(house, act)}")
    if after is None:
        return SET_ASIDE
    wrong = [pair for pair in pairs if (after.holder(pair[0]) is after.holder(pair[1])) != joined]
    if wrong:
        note(f"It is kept, but {wrong[0][0]} and {wrong[0][1]} still count otherwise: {_why(joined=joined)}")
        return SET_ASIDE
    return DONE


def _why(*, joined: bool) -> str:
    return "another split keeps them apart" if joined else "another join holds them together"


def _to_undo(house: Household, act: int) -> str:
    return f"To undo: {house.again('undo', str(act))}"


@command.command("undo")
@click.argument("word", required=False, type=click.IntRange(min=1))
@_placed
def undo_word(word: int | None, **places: str | None) -> int:
    """Undo what was said last.

    Or the WORD of this number; `homeport devices show DEVICE` lists them.
    """
    from appliance.household import follow, speak
    from appliance.roster import word_text
    from daemon.store import owner

    house = _household(**places)
    target = house.last_word(word)
    speak(house, lambda db, by, now_us: len(owner.undo(db, target.word_id, by, now_us)))
    after = follow(house)
    now = _now(after, target) if after else ""
    again = [target.about, target.key, target.value or "--clear"]
    say(f"Undone: {word_text(target)}.{now} To say it again: {house.again(*again)}")
    return DONE if after else SET_ASIDE


def _now(after: Household, undone: Word) -> str:
    """How things stand without that word."""
    from daemon.report.lookup import described
    from daemon.report.recording import MEANINGS
    from daemon.store.words import KEEP_NAMES, PAIRINGS, RECORD

    holders = [after.holder(key) for key in (undone.key, undone.value or "")]
    shown = [printable(described(each)) for each in holders if each is not None]
    if not shown:
        return ""  # a device that these captures do not have
    if undone.about in (KEEP_NAMES, RECORD):
        return f" {shown[0]} is {MEANINGS[holders[0].level].now} now." if undone.about == RECORD and holders[0] else ""
    if undone.about not in PAIRINGS:
        value = getattr(holders[0], undone.about)
        return (
            f' {shown[0]} {_NOW[undone.about]} "{printable(value)}" now.'
            if value
            else f" {shown[0]} has no {undone.about} now."
        )
    return f" They are {' and '.join(shown)} now." if holders[0] is not holders[1] else f" Both are {shown[0]} now."


for _about, _what in (
    ("name", "what a device is called"),
    ("owner", "whose a device is"),
    ("room", "where a device is"),
    ("kind", "what kind of device it is"),
):
    _add_saying(_about, _what)
