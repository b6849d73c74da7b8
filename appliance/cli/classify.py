"""`homeport classify`: whose a destination is, and what it is to the device."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from appliance.config import load_config
from appliance.console import CannotDoError, count, note, plural, printable, reader_may_leave
from appliance.output import whole_file

if TYPE_CHECKING:
    from collections import Counter

    from daemon.classify.organisations import OrganisationTable


@click.command("classify")
@click.option("--input", "source", metavar="FILE", help="CSV with the columns device_vendor, device, domain.")
@click.option("--output", metavar="FILE", help="CSV to write in place of standard output; complete, or not there.")
@click.option(
    "--organisations",
    metavar="FILE",
    multiple=True,
    help="File of organisations that extends ours; may be given several times. [classify.organisations]",
)
def command(source: str | None, output: str | None, organisations: tuple[str, ...]) -> None:
    """Say whose destinations are: first, support, third or platform party, with organisation and reason.

    With --input, for pairs of a device and a domain, without any capture: all columns are repeated, and party,
    organisation, purpose, rule_id and reason added. docs/classification.md explains them.
    """
    config = load_config({"classify.organisations": organisations})
    if source is None:
        raise click.UsageError("--input FILE is missing")
    label_pairs(Path(source), output, load_table(config.classify.organisations))


def load_table(paths: tuple[str, ...]) -> OrganisationTable:
    """Our organisations with the user's files laid over them. Raises CannotDoError."""
    from daemon.classify.names import Names
    from daemon.classify.organisation_files import OrganisationsError, load_organisations

    try:
        return load_organisations([Path(path) for path in paths], Names().is_public_suffix)
    except OrganisationsError as error:
        raise CannotDoError(printable(error)) from error


def label_pairs(source: Path, output: str | None, table: OrganisationTable) -> None:
    """Write the rows of a CSV file with a verdict each. Raises CannotDoError."""
    from collections import Counter

    if output is None and sys.stdout is None:
        raise CannotDoError("standard output is closed; add --output FILE")
    parties: Counter[str] = Counter()
    with _readable(source) as lines:
        if output is None:
            with reader_may_leave():
                _write(sys.stdout, source, lines, table, parties)
                sys.stdout.flush()
        else:
            with whole_file(Path(output)) as target:
                _write(target, source, lines, table, parties)
    told = ", ".join(f"{party} {count(number)}" for party, number in parties.most_common())
    note(f"{plural(parties.total(), 'pair')} labelled{': ' if told else ''}{told}")


def _write(target: TextIO, source: Path, lines: TextIO, table: OrganisationTable, parties: Counter[str]) -> None:
    from daemon.classify.classifier import Classifier
    from daemon.classify.pairs import ADDED, PairsError, judged_rows

    writer = csv.writer(target, lineterminator="\n")
    reader = csv.reader(lines, strict=True)
    rows = judged_rows(reader, Classifier(table).judge)
    try:
        header = next(rows)
        writer.writerow(header)
        party = header.index(ADDED[0], len(header) - len(ADDED))
        for row in rows:
            writer.writerow(row)
            parties[row[party]] += 1
    except PairsError as error:
        raise CannotDoError(printable(f"{source} {error}")) from error
    except UnicodeDecodeError as error:
        raise CannotDoError(f"{printable(source)} is not UTF-8 text, from byte {error.start} of a part on") from error
    except csv.Error as error:
        raise CannotDoError(f"{printable(source)} is not CSV, near line {reader.line_num}: {error}") from error


@contextmanager
def _readable(path: Path) -> Iterator[TextIO]:
    try:
        file = path.open(encoding="utf-8-sig", newline="")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CannotDoError(f"{printable(path)} cannot be read: {reason}") from error
    with file:
        yield file
