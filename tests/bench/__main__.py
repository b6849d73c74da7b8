"""`python -m tests.bench`: generate, measure in turns, write the page.

Rules: everything it writes lies in one temporary folder that is deleted at the end, but for the page; it lowers its own
priority and runs one thing at a time, because machines are shared; a tool that is missing is named aloud.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.bench import drops
from tests.bench.measure import POLITELY, CommandFailedError, Cost, run, summarise
from tests.bench.report import Facts, Load, Row, page, say
from tests.bench.tools import CONTROL, HOMEPORT, PEERS, TOOLS, Tool

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
LARGE_ROUNDS = 3
ROOMS = ("daemon", "appliance", "web")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("python -m tests.bench", description="Measure homeport import beside its peers.")
    parser.add_argument("--packets", type=int, default=1_000_000, help="size of the generated day")
    parser.add_argument("--rounds", type=int, default=5, help="how often each tool runs")
    parser.add_argument("--seed", type=int, default=1, help="of the generated day")
    parser.add_argument("--out", help="where the page goes; `-` prints it, as does --command without --out")
    parser.add_argument("--large", action="store_true", help="also import five times as many packets")
    parser.add_argument("--flood", type=int, default=0, metavar="N", help="also import N flows of one packet each")
    parser.add_argument("--command", help="measure this instead of homeport import; {pcap} and {scratch} are filled in")
    parser.add_argument("--only", help="comma-separated peers to run, of: " + ", ".join(tool.name for tool in PEERS))
    parser.add_argument("--folder", type=Path, help="where the captures go for a while; needs 1 GB a million packets")
    parser.add_argument("--drops", action="store_true", help="measure losses of recording instead; into docs/drops.md")
    parser.add_argument(
        "--window", action="store_true", help="time homeport pcap on a day; 22,000,000 packets are 20 GB; nothing else"
    )
    parser.add_argument("--list-tools", action="store_true", help="print the Debian packages of the peers and stop")
    parser.add_argument(
        "--threeyears", action="store_true", help="measure the tiers after three years, and nothing else"
    )
    parser.add_argument("--pages", action="store_true", help="time every page after three years, and nothing else")
    parser.add_argument(
        "--database", type=Path, help="of --threeyears and --pages: the file is kept, and taken if it is there"
    )
    chosen = parser.parse_args(argv)
    if chosen.packets < 1 or chosen.rounds < 1 or chosen.flood < 0:
        parser.error("--packets and --rounds must be at least 1, --flood not below 0")
    return chosen


def generate(kind: str, path: Path, count: int, seed: int) -> None:
    """Write a capture in a process of its own: this one must stay small, see `measure`."""
    say(f"generating {kind} of {count:,} packets")
    argv = [*POLITELY, sys.executable, "-m", "tests.bench.workload", kind, str(path), str(count), str(seed)]
    subprocess.run(argv, cwd=ROOT, check=True)


class Capture(NamedTuple):
    """A capture to generate: what the page calls it, `day` or `flood`, packets, seed."""

    name: str
    kind: str
    packets: int
    seed: int


def compile_modules() -> None:
    """Compile our modules, as an installation does: where nothing may be cached, every run would pay for it anew."""
    for room in ROOMS:
        compileall.compile_dir(ROOT / room, quiet=1)


def once(tool: Tool, pcap: Path, folder: Path) -> Cost:
    """One run of a tool with an empty scratch folder."""
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    return run(tool.command(str(pcap), str(scratch)), cwd=ROOT)


def compare(tools: list[Tool], pcap: Path, folder: Path, rounds: int) -> list[Row]:
    """All tools in turns; one that fails is dropped from the later rounds and says why."""
    costs: dict[str, list[Cost]] = {tool.name: [] for tool in tools}
    failed: dict[str, str] = {}
    once(CONTROL, pcap, folder)  # into the page cache, so that the first tool is not charged for the disk
    for number in range(rounds):
        for tool in tools:
            if not tool.installed():
                failed.setdefault(tool.name, "not installed")
            if tool.name in failed:
                continue
            try:
                cost = once(tool, pcap, folder)
            except CommandFailedError as error:
                failed[tool.name] = str(error)
                say(f"{tool.name} failed: {error}")
                continue
            costs[tool.name].append(cost)
            say(f"round {number + 1}: {tool.name} {cost.cpu:.2f} CPU s, {cost.memory:.0f} MiB")
    for name, reason in failed.items():
        say(f"{name} is left out: {reason}")
    return [
        Row(tool, None if tool.name in failed else summarise(costs[tool.name]), failed.get(tool.name, ""))
        for tool in tools
    ]


def alone(tool: Tool, capture: Capture, folder: Path, rounds: int) -> Load:
    """One tool, several times, with a capture that is generated for it and deleted afterwards."""
    pcap = folder / "other.pcap"
    generate(capture.kind, pcap, capture.packets, capture.seed)
    try:
        costs = [once(tool, pcap, folder) for _ in range(rounds)]
    except CommandFailedError as error:
        say(f"{capture.name}: {error}")
        return Load(capture.name, capture.packets, None, str(error))
    finally:
        pcap.unlink()
    return Load(capture.name, capture.packets, summarise(costs))


def main(argv: list[str] | None = None) -> int:
    """Run the bench; returns 1 where Homeport itself could not be measured."""
    chosen = arguments(argv)
    if chosen.list_tools:
        sys.stdout.write("\n".join(TOOLS) + "\n")
        return 0
    if chosen.drops:
        return drops.main()
    if chosen.window:
        return first_packets(chosen)
    if chosen.threeyears or chosen.pages:
        return three_years(chosen)
    subject = HOMEPORT
    if chosen.command:
        subject = Tool("command", "as given", tuple(shlex.split(chosen.command)))
    wanted = chosen.only.split(",") if chosen.only is not None else [tool.name for tool in PEERS]
    tools = [subject, *(tool for tool in PEERS if tool.name in wanted), CONTROL]
    compile_modules()
    before = os.getloadavg()[0]
    if chosen.folder:
        chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="homeport-bench-", dir=chosen.folder) as name:
        folder = Path(name)
        pcap = folder / "day.pcap"
        generate("day", pcap, chosen.packets, chosen.seed)
        size = pcap.stat().st_size
        rows = compare(tools, pcap, folder, chosen.rounds)
        measured = rows[0].summary
        found = []
        if measured is not None:
            found = [Load("the day", chosen.packets, measured), *_others(chosen, subject, pcap, folder)]
    facts = Facts(chosen.packets, size, chosen.rounds, chosen.seed, before, os.getloadavg()[0])
    text = page(rows, found, facts)
    out = chosen.out or ("-" if chosen.command else str(PAGE))
    if out == "-" or measured is None:  # a page without its subject must not replace one with it
        sys.stdout.write(text)
    else:
        Path(out).write_text(text)
        say(f"written: {out}")
    return 0 if measured is not None else 1


def first_packets(chosen: argparse.Namespace) -> int:
    """How soon `homeport pcap` answers, as lines of JSON on standard output."""
    from tests.bench.window import measure, told  # noqa: PLC0415  the engine, which no other bench wants in here

    with tempfile.TemporaryDirectory(prefix="homeport-bench-", dir=chosen.folder) as name:
        capture = Path(name) / "day.pcap"
        generate("day", capture, chosen.packets, chosen.seed)
        found = measure(capture, Path(name) / "h.db")
        sys.stdout.write(told(found, capture.stat().st_size) + "\n")
    return 0


def three_years(chosen: argparse.Namespace) -> int:
    """Sizes and times after three years, on standard output or in the file that --out names."""
    from tests.bench import pages  # noqa: PLC0415  numpy and the engine, which no other bench wants in here
    from tests.bench.threeyears import measure  # noqa: PLC0415  likewise
    from tests.support.threeyears import build  # noqa: PLC0415  likewise

    with tempfile.TemporaryDirectory(prefix="homeport-bench-", dir=chosen.folder) as name:
        database = chosen.database or Path(name) / "three.db"
        if chosen.pages:
            if not database.exists():
                build(database)
            text = pages.table(pages.measure(database))
        else:
            text = measure(database)
    if chosen.out in (None, "-"):
        sys.stdout.write(text)
    else:
        Path(chosen.out).write_text(text)
    return 0


def _others(chosen: argparse.Namespace, subject: Tool, day: Path, folder: Path) -> list[Load]:
    day.unlink()
    found = []
    if chosen.large:
        capture = Capture("five days' worth", "day", 5 * chosen.packets, chosen.seed + 1)
        found.append(alone(subject, capture, folder, LARGE_ROUNDS))
    if chosen.flood:
        found.append(alone(subject, Capture("flood: a flow a packet", "flood", chosen.flood, chosen.seed), folder, 1))
    return found


if __name__ == "__main__":
    sys.exit(main())
