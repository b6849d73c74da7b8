"""Facts as values to bind, in C; see the plain functions in `rows`. `rows`: so many in a piece."""

from typing import Any

from daemon.flow.facts import DnsFact, FlowFact, FlowKind, HelloFact

def flows(
    flows: list[FlowFact], rows: int, base: int, kinds: dict[FlowKind, int], ends: list[int], names: dict[str, int], /
) -> list[tuple[Any, ...]]: ...
def hellos(
    hellos: list[HelloFact], rows: int, base: int, ends: list[int], names: dict[str, int], /
) -> list[tuple[Any, ...]]: ...
def dns(
    messages: list[DnsFact],
    rows: int,
    first: int,
    capture: int,
    ends: list[int],
    names: dict[str, int],
    lasting: tuple[int, int, int],
    /,
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]: ...
