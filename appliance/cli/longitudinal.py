"""`homeport longitudinal`: where devices send their data, month by month, over years of captures.

Rule: a step here reads its options, calls the file of `appliance/longitudinal/` that does it, and says what came out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.config import load_config
from appliance.console import CannotDoError, count, plural, printable, say
from appliance.longitudinal.words import Step, Steps, Year, folder_name
from appliance.main import DONE, SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.classify.place import Atlas

_PATH = click.Path(path_type=Path)
_YEARS = click.option("--years", "--year", multiple=True, type=Year(), metavar="YEAR...", help="Only these years.")
_MAKER = click.option("--manufacturer", metavar="NAME", help="Who made the device; else its folder's name tells.")
_HAND = click.option(
    "--organisations", "--organizations", multiple=True, type=_PATH, metavar="FILE",
    help="Whose domains are whose, by hand: TOML like Homeport's own table, or CSV (domain,organisation).",
)  # fmt: skip
_JOBS = click.option("--jobs", type=int, metavar="N", help="Files decoded at the same time. [import.jobs]")
_DATABASE = click.option("--db", "database", type=_PATH, metavar="FILE", help="Database that the captures go to.")
_PLACES = click.option(
    "--geo-db",
    "--geo_db",
    type=_PATH,
    metavar="FILE",
    help="Country database (mmdb) in place of those of [data.folder].",
)
_BASE = click.option(
    "--base-dir", "--base_dir", "base", type=_PATH, default="analysis_longitudinal", show_default=True,
    metavar="FOLDER", help="Folder that holds a folder for each device.",
)  # fmt: skip


@click.group("longitudinal", cls=Steps, short_help="Study years of captures: whose destinations, by month.")
def command() -> None:
    """Whose destinations, month by month, over years of captures.

    `run` does everything for a tree of captures; the other steps do one thing each. docs/longitudinal.md has the files
    that come out.
    """


@command.command("run", cls=Step)
@click.option("--root", type=_PATH, required=True, metavar="FOLDER", help="Folder with by-name/DEVICE/.../*.pcap.")
@click.option("--out", type=_PATH, required=True, metavar="FOLDER", help="Folder for everything that comes out.")
@click.option("--device", "devices", multiple=True, metavar="NAME...", help="Only these devices.")
@_YEARS
@_MAKER
@_HAND
@_PLACES
@_DATABASE
@_JOBS
def run_step(  # noqa: PLR0913, PLR0917 - one argument an option
    root: Path, out: Path, devices: tuple[str, ...], years: tuple[int, ...], manufacturer: str | None,
    organisations: tuple[Path, ...], geo_db: Path | None, database: Path | None, jobs: int | None,
) -> int:  # fmt: skip
    """Everything, for all devices and years of a tree.

    Captures lie in ROOT/by-name/DEVICE, in folders as deep as you like, and their names begin with the date:
    2025-07-31_23.00.00_anything.pcap. A file belongs to the month in its name. Run it again after adding captures: only
    what is new is read.
    """
    from appliance.longitudinal.geolocate import open_places
    from appliance.longitudinal.layout import DATABASE
    from appliance.longitudinal.party import open_judge
    from appliance.longitudinal.run import Job, run
    from appliance.longitudinal.telling import listed, say_run
    from appliance.longitudinal.tree import find_captures

    config = load_config({"import.jobs": jobs, "store.database": database or out / DATABASE})
    tree = find_captures(root, devices, years)
    judge, atlas = open_judge(organisations, config), open_places(geo_db, config.data.folder)
    summary = run(Job(tree.groups, out, manufacturer, judge, atlas), config)
    problems = (*tree.problems, *summary.problems)
    if not summary.devices:
        raise CannotDoError(f"none of the captures could be read: {listed(problems)}")
    say_run(summary, out)
    return _end(problems, atlas)


@command.command("domains", cls=Step, short_help="Names that a month's captures show.")
@click.option("--input-file", "--input_file", "source", type=_PATH, required=True, help="List of captures, one a line.")
@click.option("--output-dir", "--output_dir", "target", type=_PATH, required=True, help="Folder for domain_list/.")
@click.option("--exp", metavar="NAME", help="What to call this experiment in the summary.")
@_DATABASE
@_JOBS
def domains_step(source: Path, target: Path, exp: str | None, database: Path | None, jobs: int | None) -> int:
    """Names that a month's captures show: asked for, or said in handshakes."""
    from appliance.longitudinal.layout import MonthFolder
    from appliance.longitudinal.lists import read_captures, read_input_list, write_domains

    folder = MonthFolder(target)
    config = load_config({"import.jobs": jobs, "store.database": database or target / "captures.db"})
    found = read_captures(read_input_list(source), config)
    write_domains(folder, found.facts)
    say(f"{found.words(exp)}: {plural(len(found.facts.contacts), 'domain')} in {printable(folder.contacted)}")
    return _end(found.problems)


@command.command("map-ips", cls=Step, short_help="Addresses that a month's captures show, with their names.")
@click.option("--input-file", "--input_file", "source", type=_PATH, required=True, help="List of captures, one a line.")
@click.option("--output-dir", "--output_dir", "target", type=_PATH, required=True, help="Folder for ip_list/.")
@click.option("--exp", metavar="NAME", help="What to call this experiment in the summary.")
@_DATABASE
@_JOBS
def map_ips_step(source: Path, target: Path, exp: str | None, database: Path | None, jobs: int | None) -> int:
    """Addresses that a month's captures show, with all their names, and those that have none."""
    from appliance.longitudinal.layout import MonthFolder
    from appliance.longitudinal.lists import read_captures, read_input_list, unnamed_share, write_addresses

    folder = MonthFolder(target)
    config = load_config({"import.jobs": jobs, "store.database": database or target / "captures.db"})
    found = read_captures(read_input_list(source), config)
    write_addresses(folder, found.facts)
    addresses = f"{count(len(found.facts.addresses))} addresses, {count(len(found.facts.names))} of them with a name"
    say(f"{found.words(exp)}: {addresses}, in {printable(folder.ip_map)}")
    say(f"{unnamed_share(found.facts):.1%} of the bytes went to or came from addresses without a name.")
    return _end(found.problems)


@command.command("init-empty", cls=Step, short_help="Make empty address lists for all months.")
@click.argument("device")
@click.argument("years", nargs=-1, required=True, type=Year())
@_BASE
def init_empty_step(device: str, years: tuple[int, ...], base: Path) -> None:
    """Make empty address lists for all months of the years; what is there is left alone."""
    from appliance.longitudinal.init_empty import init_empty

    made, kept = init_empty(base, folder_name(device), years)
    say(
        f"Made {plural(made, 'empty file')} for {printable(device)} in {printable(base)}; {count(kept)} were there already."
    )


@command.command("party", cls=Step, short_help="Whose is each domain, and what to the device?")
@click.option("--device", required=True, metavar="NAME", help="Device, as its folder in the base folder is called.")
@_YEARS
@_MAKER
@_HAND
@_BASE
def party_step(
    device: str, years: tuple[int, ...], manufacturer: str | None, organisations: tuple[Path, ...], base: Path
) -> int:
    """Whose is each domain: first, support, third or platform party; one table a month."""
    from appliance.longitudinal.about import read_about
    from appliance.longitudinal.first_party import find_maker
    from appliance.longitudinal.layout import DeviceFolder
    from appliance.longitudinal.party import open_judge, write_parties

    folder = DeviceFolder(base, folder_name(device))
    if not folder.path.is_dir():
        raise CannotDoError(f"no folder {printable(folder.path)}; the steps `domains` and `map-ips` fill it")
    judge = open_judge(organisations, load_config())
    about = read_about(folder)
    maker = find_maker(judge.organisations.table, option=manufacturer, folder=device)
    partied = write_parties(folder, judge, maker if manufacturer else about.maker or maker, about.kind, years)
    if not partied.months:
        which = f" of {', '.join(map(str, years))}" if years else ""
        raise CannotDoError(f"no month{which} has a list of domains in {printable(folder.path)}; nothing was written")
    say(f"{printable(device)}: {plural(partied.months, 'month')}, {partied.words()}")
    return _end(partied.problems)


@command.command("first-party", cls=Step)
@click.option("--manufacturer", required=True, metavar="NAME", help="Maker of the device, in any spelling.")
@click.option("--output", type=_PATH, required=True, metavar="FILE", help="List to write, one domain a line.")
@_HAND
def first_party_step(manufacturer: str, output: Path, organisations: tuple[Path, ...]) -> None:
    """The domains of a maker, its owners and its sister brands."""
    from appliance.longitudinal.files import write_lines
    from appliance.longitudinal.first_party import reference_list
    from appliance.longitudinal.party import open_judge

    table = open_judge(organisations, load_config()).organisations.table
    maker = table.by_vendor(manufacturer)
    if maker is None:
        raise CannotDoError(
            f"nobody called {printable(manufacturer)!r} is in the table of organisations; nothing was written."
            " --organisations FILE adds makers of your own"
        )
    domains = reference_list(table, maker)
    write_lines(output, domains)
    say(f"{printable(maker.name)}: {plural(len(domains), 'domain')} in {printable(output)}")


@command.command("geolocate", cls=Step)
@click.option("--input", "source", type=_PATH, required=True, metavar="FILE", help="List of addresses: all_ips.json.")
@click.option("--output", type=_PATH, required=True, metavar="FILE", help="File to write: geolocation.json.")
@click.option("--db", "places", type=_PATH, metavar="FILE", help="Country database (mmdb), GeoLite2 or another.")
def geolocate_step(source: Path, output: Path, places: Path | None) -> int:
    """The country of each address. Nothing is asked outside of this machine."""
    from appliance.longitudinal.files import write_json
    from appliance.longitudinal.geolocate import locate, open_places, read_addresses

    atlas = open_places(places, load_config().data.folder)
    found = locate(read_addresses(source), atlas)
    write_json(output, found)
    known = sum(each["country_iso_code"] is not None for each in found.values())
    say(f"{count(known)} of {count(len(found))} addresses have a country: {printable(output)}")
    return _end((), atlas)


@command.command("compare", cls=Step)
@click.argument("a", type=_PATH)
@click.argument("b", type=_PATH)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--output", type=_PATH, metavar="FILE", help="File to write in place of standard output.")
def compare_step(a: Path, b: Path, form: str, output: Path | None) -> None:
    """Which domains are only in A, only in B, and in both.

    A and B are lists in any form that the steps write: JSON, text, or a table of parties, whose categories are compared
    too.
    """
    from appliance.longitudinal.compare import FORMS, compare_files
    from appliance.longitudinal.files import write

    comparison = compare_files(a, b)
    text = FORMS[form](comparison)
    if output is None:
        say(text.removesuffix("\n"))
        return
    write(output, text)
    say(f"{comparison.words()}: {printable(output)}")


def _end(problems: Sequence[tuple[str, str]], atlas: Atlas | None = None) -> int:
    """Say what was set aside, and what was missing; the exit code."""
    if atlas is not None:
        for problem in atlas.problems:
            say(f"Left out: {printable(problem)}")
        if not atlas.files:
            say("There is no country database, so countries are empty: `homeport data update` fetches one.")
    if not problems:
        return DONE
    say(f"Set aside ({len(problems)}):")
    for what, why in problems:
        say(f"  {printable(what)}: {printable(why)}")
    return SET_ASIDE
