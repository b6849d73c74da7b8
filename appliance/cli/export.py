"""`homeport export`: a public view as JSON lines or CSV, row by row, whatever its size."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

import click

from appliance.config import load_config
from appliance.console import CannotDoError, printable, reader_may_leave
from appliance.output import whole_file

Rows = Iterable[Sequence[object]]


@click.command("export")
@click.argument("view")
@click.option("--db", "database", metavar="FILE", help="Database to read. [store.database]")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True, help="How to write."
)
@click.option("--output", metavar="FILE", help="File to write in place of standard output; complete, or not there.")
def command(view: str, database: str | None, form: str, output: str | None) -> None:
    """Write all rows of a public view.

    The views and their columns are described in docs/schema.md. In CSV a NULL is an empty field.
    """
    from daemon.store.export import VIEWS, export_rows

    if view not in VIEWS:
        raise click.UsageError(f"no view {printable(view)!r}; the views are {', '.join(VIEWS)}")
    path = load_config({"store.database": database}).store.database
    if not path.is_file():
        raise CannotDoError(
            f"no database at {printable(path)}; `homeport import PATH --db {printable(path)}` makes one"
        )
    columns, rows = export_rows(path, view)
    if output is None and sys.stdout is None:
        raise CannotDoError("standard output is closed; add --output FILE")
    if output is None:
        with reader_may_leave():
            _FORMS[form](sys.stdout, columns, rows)
            sys.stdout.flush()
        return
    with whole_file(Path(output)) as target:
        _FORMS[form](target, columns, rows)


def write_jsonl(target: TextIO, columns: Sequence[str], rows: Rows) -> None:
    """One JSON object a row, keys in the view's order, NULL as null."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for row in rows:
        target.write(encode(dict(zip(columns, row, strict=True))) + "\n")


def write_csv(target: TextIO, columns: Sequence[str], rows: Rows) -> None:
    """A header of the view's columns, then the rows; lines end with LF."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


_FORMS: dict[str, Callable[[TextIO, Sequence[str], Rows], None]] = {"jsonl": write_jsonl, "csv": write_csv}
