"""Where data came from: the same destinations, ranked by what they sent into the house."""

from __future__ import annotations

from daemon.report.destinations import ranking
from daemon.report.scope import Scope
from daemon.report.table import Report


def report(scope: Scope) -> Report:
    """One row a source, those first from which most came."""
    return ranking(scope, inward=True)
