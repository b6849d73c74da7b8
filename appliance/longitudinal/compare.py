"""The step `compare`: two lists of domains, side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.console import CannotDoError, printable
from appliance.longitudinal.files import read_text
from daemon.report.longitudinal.comparison import BOTH, ONLY_A, ONLY_B, Line, NotAListError, as_csv, compare, read_list


@dataclass(frozen=True, slots=True)
class Comparison:
    """The lines, and the files they come from."""

    a: Path
    b: Path
    lines: tuple[Line, ...]

    def where(self, where: str) -> list[Line]:
        """The lines of one place."""
        return [line for line in self.lines if line.where == where]

    def words(self) -> str:
        """`2 only in A, 1 only in B, 7 in both`"""
        only_a, only_b, both = (len(self.where(place)) for place in (ONLY_A, ONLY_B, BOTH))
        return f"{only_a} only in A, {only_b} only in B, {both} in both"


def compare_files(a: Path, b: Path) -> Comparison:
    """The comparison of two files. Raises CannotDoError."""
    lists = []
    for path in (a, b):
        try:
            lists.append(read_list(read_text(path)))
        except NotAListError as error:
            raise CannotDoError(f"{printable(path)}: {printable(error)}; a list of domains was wanted") from error
    return Comparison(a, b, tuple(compare(*lists)))


def _as_text(found: Comparison) -> str:
    parts = [f"A: {printable(found.a)}\nB: {printable(found.b)}\n"]
    for where, title in ((ONLY_A, "Only in A"), (ONLY_B, "Only in B"), (BOTH, "In both")):
        lines = found.where(where)
        parts.append(f"\n{title} ({len(lines)})\n" + "".join(f"  {_line(line)}\n" for line in lines))
    return "".join(parts)


def _line(line: Line) -> str:
    name = printable(line.domain)
    if line.where == BOTH and line.category_a != line.category_b:
        return f"{name}  {printable(line.category_a or '-')} -> {printable(line.category_b or '-')}"
    category = line.category_a or line.category_b
    return f"{name}  {printable(category)}" if category else name


def _as_json(found: Comparison) -> str:
    value = {
        "a": str(found.a),
        "b": str(found.b),
        **{
            key: {line.domain: [line.category_a, line.category_b] for line in found.where(where)}
            for key, where in (("only_a", ONLY_A), ("only_b", ONLY_B), ("both", BOTH))
        },
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


FORMS: Mapping[str, Callable[[Comparison], str]] = {
    "table": _as_text,
    "csv": lambda found: as_csv(found.lines),
    "json": _as_json,
}
