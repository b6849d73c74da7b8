"""Every report there is: one row makes it a command, a page, a CSV file and an answer of the API.

Rule: a report is a module `daemon.report.<module>` with `report(scope) -> Report`; it is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:  # a list of reports costs no numpy
    from daemon.report.scope import Scope
    from daemon.report.table import Report


@dataclass(frozen=True, slots=True)
class Kind:
    """One report: `name` as it is typed and stands in addresses, `question` what it answers, in a person's words."""

    name: str
    module: str
    title: str
    question: str

    def make(self, scope: Scope) -> Report:
        """Answer the question."""
        module = import_module(f"daemon.report.{self.module}")
        return cast("Callable[[Scope], Report]", module.report)(scope)


KINDS = (
    Kind("protocols", "protocols", "Protocols", "Which protocols are spoken, by packets, bytes and mean length?"),
    Kind("findings", "findings.listing", "Findings", "What in the traffic is worth a look, and why?"),
)

REPORTS = {kind.name: kind for kind in KINDS}
