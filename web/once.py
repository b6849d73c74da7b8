"""What a page computes of a question, once as long as neither the facts nor the question nor the owner's words change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from daemon.report.scope import Scope
from web.visit import Visit

_T = TypeVar("_T")


def once(visit: Visit, scope: Scope, about: str, make: Callable[[], _T]) -> _T:
    """What `make` gives for the scope; `about` tells one thing of a scope from another. It must not be changed."""
    key = (
        about, scope.span.since_us, scope.span.until_us, scope.device_id, tuple(sorted(scope.names.items())),
        tuple(sorted(scope.applications.items())),
    )  # fmt: skip
    return visit.remember(key, make)
