"""`homeport pcap`: the packets behind any row, out of the files that they lie in."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from appliance.config import Config, load_config
from appliance.console import CannotDoError, note, plural, printable, size
from appliance.main import DONE, SET_ASIDE

if TYPE_CHECKING:
    from appliance.packet_output import Target
    from daemon.decode.pcap_writing import Writer
    from daemon.ingest.bpf import Filter
    from daemon.ingest.retrieve import Found, Missing, Question
    from daemon.ingest.wanted import Wanted
    from daemon.store.meant import Terms

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class _Asked:
    """The flags, as they were given."""

    database: str | None
    owner_file: str | None
    site: str | None
    device: str | None
    since: str | None
    until: str | None
    flow_id: int | None
    expression: str | None
    place: str | None
    wanted: Wanted


@click.command("pcap", short_help="Write the packets behind what is shown, for Wireshark.")
@click.option("--db", "database", metavar="FILE", help="Database that is meant. [store.database]")
@click.option("--owner", "owner_file", metavar="FILE", help="File of the owner's words. [store.owner]")
@click.option("--site", metavar="NAME", help="Home that is meant. [site.name]")
@click.option("--device", metavar="DEVICE", help="What this device sent or received: its name, MAC, address or id.")
@click.option(
    "--destination", metavar="WHERE", help="What went to or came from there: a name, address, domain or organisation."
)
@click.option(
    "--name", metavar="NAME", help="One row of a table: this very name and none below it, or a nameless address."
)
@click.option(
    "--address", metavar="ADDRESS", help="What this address sent or received, besides all else that is asked."
)
@click.option(
    "--company",
    metavar="NAME",
    multiple=True,
    help="What a company got or sent, by its name on the pages; - is nobody known. Several: any of them.",
)
@click.option("--country", metavar="CODE", help="Computers in a country: DE or Germany; - where nobody knows it.")
@click.option("--network", metavar="AS", help="Computers in a network: AS15169; - where nobody knows it.")
@click.option(
    "--party", metavar="PARTY", help="first, support, platform, third or unknown, as destinations are judged."
)
@click.option("--purpose", metavar="WORD", help="advertising, time, ...; watching: all of advertising and tracking.")
@click.option("--application", metavar="NAME", help="Names of an application's set, as the network page lists them.")
@click.option("--asked", metavar="NAME", help="The DNS questions for this name, and the answers.")
@click.option(
    "--service", metavar="NAME", help="https, quic, dns, ... as the table of protocols has them; - is none known."
)
@click.option("--port", metavar="NUMBER", help="The server's port, as the view flows has it.")
@click.option("--protocol", metavar="NAME", help="tcp, udp, icmp, arp, ... as the table of protocols has them.")
@click.option("--ip-version", metavar="4|6", help="Over IPv4, or over IPv6.")
@click.option("--encrypted", metavar="yes|no|unknown", help="As the table of encryption has it.")
@click.option("--scope", metavar="WHERE", help="internet, local (within the home) or chatter (discovery and control).")
@click.option("--hours", metavar="FROM-TO", help="Hours of each day in the home's time zone: 23-6 is the night.")
@click.option("--since", metavar="TIME", help="From then on: 2025-07-01, 2025-07-01T21:00, 'yesterday 21:00', 2h, 7d.")
@click.option("--until", metavar="TIME", help="Up to then; of a date, the whole day.")
@click.option("--flow", "flow_id", type=int, metavar="ID", help="One row of the view flows.")
@click.option("--filter", "expression", metavar="BPF", help="And only what this filter accepts, as tcpdump has them.")
@click.option("-w", "place", metavar="FILE", help="Where to write; - (and nothing) is standard output.")
@click.pass_context
def command(ctx: click.Context, /, **_: object) -> int:
    """Write the packets behind what Homeport shows, by time, as a capture that Wireshark reads.

    Everything that is asked for must hold. Times are in the time zone of the home. docs/pcap.md has examples.
    """
    from appliance.packet_output import packet_output
    from daemon.ingest.retrieve import look_up
    from daemon.ingest.wanted import WORDS, Wanted
    from daemon.store.database import read_database
    from daemon.store.errors import explained

    others = {name: value for name, value in ctx.params.items() if name not in WORDS}
    asked = _Asked(**others, wanted=Wanted(**{word: ctx.params[word] for word in WORDS}))
    config = load_config({"store.database": asked.database, "store.owner": asked.owner_file, "site.name": asked.site})
    path = config.store.database
    if not path.is_file():
        raise CannotDoError(
            f"no database at {printable(path)}; `homeport import PATH --db {printable(path)}` makes one"
        )
    keep = _filter(asked.expression)
    with closing(read_database(path)) as db, explained(path):
        question = _question(db, config, asked, keep)
        found = look_up(db, question)
    _prepare(keep, found)
    with packet_output(asked.place, found.files) as target:
        _write(found, target)
    _name_missing(found.missing, question.zone)
    return SET_ASIDE if found.missing else DONE


def _filter(expression: str | None) -> Filter | None:
    if expression is None:
        return None
    from daemon.ingest.bpf import Filter

    return Filter(expression)


def _prepare(keep: Filter | None, found: Found) -> None:
    from daemon.ingest.bpf import BadFilterError

    if keep is None:
        return
    try:
        for link in found.links or {1}:
            keep.prepare(link)
    except BadFilterError as error:
        raise click.UsageError(str(error)) from error


def _question(db: sqlite3.Connection, config: Config, asked: _Asked, keep: Filter | None) -> Question:
    from daemon.ingest.retrieve import Question
    from daemon.store.months import sites

    known = sites(db)
    if config.site.name not in known:
        there = ", ".join(map(printable, sorted(known))) or "none"
        raise CannotDoError(f"there is no home {printable(config.site.name)!r} here; --site names one of: {there}")
    site_id, zone = known[config.site.name]
    since_us, until_us = _moment(asked.since, "--since", zone), _moment(asked.until, "--until", zone)
    if since_us is not None and until_us is not None and since_us >= until_us:
        raise click.UsageError("--since is later than --until")
    return Question(
        site_id,
        zone,
        since_us,
        until_us,
        None if asked.device is None else _stations(config, asked.device),
        _terms(db, site_id, config, asked.wanted),
        None if asked.flow_id is None else _row(db, site_id, asked.flow_id),
        keep,
    )


def _moment(text: str | None, flag: str, zone: str) -> int | None:
    from daemon.report.moments import moment_us

    if text is None:
        return None
    try:
        return moment_us(text, zone, time.time_ns() // 1000, ends=flag == "--until")
    except ValueError as error:
        raise click.UsageError(f"{flag}: {printable(error)}") from error


def _stations(config: Config, word: str) -> tuple[tuple[int, str], ...]:
    from appliance.household import read_household

    return tuple(map(_station, read_household(config).find(word).keys))


def _station(key: str) -> tuple[int, str]:
    from daemon.store.words import mac_key

    return (int(key.replace(":", ""), 16), "") if mac_key(key) else (-1, key)


def _terms(db: sqlite3.Connection, site_id: int, config: Config, wanted: Wanted) -> Terms:
    from daemon.ingest.wanted import NothingMetError, NotMeantError, understand
    from daemon.store.applications import read_applications
    from daemon.store.owner import read_owner

    def applications() -> Mapping[str, tuple[str, ...]]:
        owner = read_owner(config.store.owner)
        if owner is None:
            return read_applications(None)
        with closing(owner):
            return read_applications(owner)

    try:
        return understand(db, site_id, wanted, applications)
    except NothingMetError as error:
        raise CannotDoError(printable(error)) from error
    except NotMeantError as error:
        raise click.UsageError(f"--{error.word.replace('_', '-')}: {printable(error)}") from error


def _row(db: sqlite3.Connection, site_id: int, flow_id: int) -> int:
    from daemon.store.behind import read_flow_row

    if not -(1 << 63) <= flow_id < 1 << 63 or not read_flow_row(db, site_id, flow_id):
        raise CannotDoError(f"there is no flow {flow_id} in this home; `homeport export flows` has those there are")
    return flow_id


def _write(found: Found, target: Target) -> None:
    """Packet by packet, then a line that says what that was."""
    from daemon.decode.pcap_writing import OtherLinkError

    writer = _writer(found)
    target.write(writer.head())
    packets = octets = 0
    for cut in found.packets():
        try:
            target.write(writer.packets(cut))
        except OtherLinkError as error:
            raise CannotDoError(
                f"a file that is being written has packets of another kind by now ({error}); ask again, and all are written"
            ) from error
        packets += len(cut.offset)
        octets += int(cut.captured.sum())
    if packets:
        note(f"{plural(packets, 'packet')}, {size(octets)}")
    else:
        note("no packet of that; what was written is a capture without packets")


def _writer(found: Found) -> Writer:
    from daemon.decode.pcap_writing import PcapngWriter, PcapWriter

    if len(found.links) > 1 or len(found.link_names) > 1:
        note("these files have several link types, so this is written as pcapng")
        return PcapngWriter(nano=found.nano)
    return PcapWriter(next(iter(found.links), 1), nano=found.nano)


def _name_missing(missing: list[Missing], zone: str) -> None:
    from appliance.roster import Clock

    clock = Clock(zone)
    for each in missing[:_MOST_NAMED]:
        span = f"{clock.text(each.first_us)} to {clock.text(each.last_us)}"
        note(f"not complete: {printable(each.path)} ({plural(each.packets, 'packet')}, {span}): {each.why}")
    if len(missing) > _MOST_NAMED:
        note(f"not complete: {plural(len(missing) - _MOST_NAMED, 'more file')}")
