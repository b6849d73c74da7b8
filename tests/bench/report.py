"""The bench's findings as Markdown.

Rules: the machine is described, never named; a tool that was not measured says why.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.bench.measure import Summary
from tests.bench.tools import TOOLS, Tool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a tool, and what it took or why it was not measured."""

    tool: Tool
    summary: Summary | None
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """One capture and how Homeport alone fared with it, or why it failed."""

    name: str
    packets: int
    summary: Summary | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """How the run was set: the capture's packets and bytes, rounds, seed, and the one-minute load before and after."""

    packets: int
    size: int
    rounds: int
    seed: int
    load_before: float
    load_after: float


INTRODUCTION = """# Benchmarks

How fast `homeport import` turns a capture into its database, beside tools that do parts of the same job. The
command at the end repeats all of it and writes this page.

Read the numbers with this in mind: CPU seconds (user and system, of the whole process tree) are compared, not wall
seconds, because the machine may have other work. The tools run in turns, one round after another, so that a busy
minute hits all of them; the middle value of the rounds counts, the extremes stand beside it. A file is read from
the page cache. No two tools do the same work: what each gets out of the capture stands in its row. Peak memory has
a floor of about 20 MiB, that of the harness itself.
"""


CAPTURE = """\
For a million packets it has about 5,200 TLS handshakes (4 in 10 with a post-quantum hello in two segments), 1,900
QUIC connections (nearly half with two Initials), 15,000 DNS answers, a quarter of its packets over IPv6, and some
reordering, retransmission, fragments and DNS over TCP. It is synthetic: names are said in real protocol bytes, bulk
data is random.
"""

REPEAT = """## Repeat

```
make bench-tools    # as root on Debian: installs {tools}
make bench          # python -m tests.bench --out docs/benchmarks.md
```

`--packets`, `--rounds` and `--seed` change the run; `--large` adds a capture of five times as many packets,
`--flood N` one of N flows with a packet each. `--list-tools` prints the Debian packages. nfstream is measured where
the running Python can import it.
"""


def cpu_name() -> str:
    """The processor's name as the kernel gives it."""
    wanted = ("model name", "Model", "Hardware")
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        key, _, value = line.partition(":")
        if key.strip() in wanted:
            return value.strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def machine() -> list[str]:
    """The machine in words: no host name, no path."""
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "dpkt", "cryptography"))
    built = "the system's own" if sys.base_prefix == "/usr" else "not the system's own"
    return [
        f"- processor: {cpu_name()}, {os.cpu_count()} cores, {platform.machine()}",
        f"- memory: {_memory_gib():.1f} GiB",
        f"- system: {platform.system()} {platform.release()}, Python {platform.python_version()} ({built}; {libraries})",
    ]


def table(rows: Sequence[Row], packets: int) -> list[str]:
    """The comparison; the ratio is to the first row."""
    lines = [
        "| tool | gets out | CPU s, median (min-max) | x homeport | packets per CPU s | peak MiB | wall s |",
        "|---|---|---|---|---|---|---|",
    ]
    first = rows[0].summary
    for row in rows:
        cost = row.summary
        if cost is None:
            lines.append(f"| {row.tool.name} | {row.tool.extracts} | not measured: {row.absent} | | | | |")
            continue
        ratio = f"{cost.cpu / first.cpu:.2f}" if first else ""
        rate = f"{packets / max(cost.cpu, 1e-3):,.0f}"
        lines.append(
            f"| {row.tool.name} | {row.tool.extracts} | {cost.cpu:.2f} ({cost.cpu_min:.2f}-{cost.cpu_max:.2f}) |"
            f" {ratio} | {rate} | {cost.memory:.0f} | {cost.wall:.2f} |"
        )
    return lines


def loads(found: Sequence[Load]) -> list[str]:
    """Homeport alone with captures of other sizes: cost a packet and memory should not grow with them."""
    if not found:
        return ["Not measured in this run; see `--large` and `--flood` below."]
    lines = ["| capture | packets | rounds | CPU s | CPU us a packet | peak MiB |", "|---|---|---|---|---|---|"]
    for load in found:
        cost = load.summary
        if cost is None:
            lines.append(f"| {load.name} | {load.packets:,} | | failed: {load.failure} | | |")
            continue
        lines.append(
            f"| {load.name} | {load.packets:,} | {cost.rounds} | {cost.cpu:.2f} | {cost.cpu / load.packets * 1e6:.2f} |"
            f" {cost.memory:.0f} |"
        )
    return lines


def page(rows: Sequence[Row], found: Sequence[Load], facts: Facts) -> str:
    """The whole of docs/benchmarks.md."""
    versions = [f"- {row.tool.name}: {said}" for row in rows if row.summary and (said := row.tool.says())]
    parts = [
        INTRODUCTION,
        "## The machine\n",
        *machine(),
        *versions,
        f"- one-minute load before and after: {facts.load_before:.2f}, {facts.load_after:.2f}",
        "",
        "Which Python it is counts: Debian's is built with the compiler's profile of a run. With one that was built",
        "from its source without that, an import takes about 1.15 times as long.",
        "",
        "## The capture\n",
        f"A generated day of {facts.packets:,} packets and {facts.size / 1e6:,.0f} MB (seed {facts.seed}).",
        CAPTURE,
        f"## The comparison, rounds: {facts.rounds}\n",
        *table(rows, facts.packets),
        "",
        "## Size and floods, Homeport alone\n",
        *loads(found),
        "",
        REPEAT.format(tools=" ".join(TOOLS)),
    ]
    return "\n".join(parts)


def say(text: str) -> None:
    """Progress, for whoever watches."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
