"""A batch of facts as an SQLite database, in C; see `image`, and the plain rows in `rows`."""

from daemon.flow.facts import DnsFact, FlowFact, FlowKind, HelloFact, Told

def image(
    schema: tuple[tuple[str, str, str, str], ...],
    facts: tuple[Told[FlowFact], Told[HelloFact], Told[DnsFact]],
    at: tuple[int, int, int],
    numbers: tuple[dict[FlowKind, int], list[int], dict[str, int]],
    lasting: tuple[int, int, int],
    /,
) -> bytearray | None: ...
