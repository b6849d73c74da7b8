"""Verdicts for rows of a CSV file that name a device and a domain, without any capture."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from appliance.console import CannotDoError, count, note, plural, printable, reader_may_leave
from appliance.output import whole_file

if TYPE_CHECKING:
    from collections import Counter

    from daemon.classify.classifier import Classifier


def label_pairs(source: Path, output: str | None, classifier: Classifier) -> None:
    """Write the rows of a CSV file with a verdict each. Raises CannotDoError."""
    from collections import Counter

    if output is None and sys.stdout is None:
        raise CannotDoError("standard output is closed; add --output FILE")
    parties: Counter[str] = Counter()
    with _readable(source) as lines:
        if output is None:
            with reader_may_leave():
                _write(sys.stdout, source, lines, classifier, parties)
                sys.stdout.flush()
        else:
            with whole_file(Path(output)) as target:
                _write(target, source, lines, classifier, parties)
    told = ", ".join(f"{party} {count(number)}" for party, number in parties.most_common())
    note(f"{plural(parties.total(), 'pair')} labelled{': ' if told else ''}{told}")


def _write(target: TextIO, source: Path, lines: TextIO, classifier: Classifier, parties: Counter[str]) -> None:
    from daemon.classify.pairs import ADDED, PairsError, judged_rows

    writer = csv.writer(target, lineterminator="\n")
    reader = csv.reader(lines, strict=True)
    rows = judged_rows(reader, classifier.judge)
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
