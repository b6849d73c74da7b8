"""What the person at the terminal reads: numbers, lines and tables.

Rule 1: results go to standard output, everything about the way there (progress, notes, errors) to standard error.
Rule 2: a file name or a device's name is somebody else's text: control characters are shown, never obeyed.
Rule 3: a terminal gets fitted tables, or a block a row where it is too narrow for one; a pipe gets whole values; rich is
        imported for a terminal only.
Rule 4: a reader who has seen enough (`| head`) is not an error: the rest goes nowhere, the exit code stays what it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

LEFT, RIGHT = "left", "right"
_DAYS = 48 * 3600  # seconds from which nobody counts in hours
_FOLDED = 12  # letters of a text that a column leaves together before it folds
_BETWEEN = 3  # spaces between columns of a terminal


class CannotDoError(Exception):
    """The command is right but cannot be done: exit code 3. The message is the sentence that the person reads."""


def printable(text: object) -> str:
    """Text that is safe on a terminal and in any log: what is not printable is written as an escape."""
    line = str(text)
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def count(number: int) -> str:
    """12,345"""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 packet`, `12,345 packets`"""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def size(octets: float) -> str:
    """Decimal, as disks and providers count: `999 B`, `91.2 MB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if octets < 999.5 or unit == "TB":
            return f"{octets:.0f} B" if unit == "B" else f"{octets:.3g} {unit}"
        octets /= 1000
    raise AssertionError("unreachable")


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 days`"""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < _DAYS:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} days"


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Around writes to standard output: if its reader has gone, the rest of the block and all later output is lost.

    The descriptor is pointed at /dev/null, because the interpreter flushes once more at exit and would complain.
    """
    try:
        yield
    except BrokenPipeError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def say(line: str = "") -> None:
    """A line of the result."""
    with reader_may_leave():
        click.echo(line)


def note(line: str) -> None:
    """A line about the way there."""
    click.echo(line, err=True)


def table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a title; a column is its heading and LEFT or RIGHT."""
    cells = [[printable("" if value is None else value) for value in row] for row in rows]
    if sys.stdout is not None and sys.stdout.isatty():
        _fitted(title, columns, cells)
    else:
        _whole(title, columns, cells)


def _fitted(title: str, columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if _narrowest(columns, cells) > console.width:
        for piece, style in _blocks(title, columns, cells):
            console.print(Text(piece, style))  # Text: rich would take "[b]" in a name for markup
        return
    view = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, side in columns:
        view.add_column(heading, justify="right" if side == RIGHT else "left", no_wrap=side == RIGHT, overflow="fold")
    for row in cells:
        view.add_row(*(Text(cell) for cell in row))
    console.print(view)


def _narrowest(columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]]) -> int:
    """Characters of a line in which the table can still be read: numbers stay whole, words are not cut to pieces."""
    wide = 0
    for (heading, side), column in zip(columns, zip(*cells, strict=True), strict=False):  # no row, no column
        widest = max(map(len, column))
        word = max(map(len, heading.split()), default=0)
        wide += max(word, widest if side == RIGHT else min(widest, _FOLDED)) + _BETWEEN
    return wide


def _blocks(
    title: str, columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """(lines, style) of the same table as a phone shows it: a block a row, without what is empty."""
    yield title, "bold"
    wide = max(len(heading) for heading, _ in columns[1:])
    for row in cells:
        yield f"\n{row[0]}", "bold"
        for (heading, _), cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                yield f"  {heading.ljust(wide)}  {cell}", ""


def _whole(title: str, columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]]) -> None:
    lines = [[heading for heading, _ in columns], *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    say(title)
    for line in lines:
        fields = zip(line, widths, columns, strict=True)
        padded = [cell.rjust(width) if side == RIGHT else cell.ljust(width) for cell, width, (_, side) in fields]
        say(("  " + "  ".join(padded)).rstrip())
    say()
