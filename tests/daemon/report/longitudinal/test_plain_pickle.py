from __future__ import annotations

import pickle
import pickletools

from hypothesis import given
from hypothesis import strategies as st

from daemon.report.longitudinal.plain_pickle import dumps

HARMLESS = {"PROTO", "EMPTY_DICT", "MARK", "BINUNICODE", "EMPTY_LIST", "APPENDS", "SETITEMS", "STOP"}


@given(st.dictionaries(st.text(), st.lists(st.text(), max_size=5), max_size=5))
def test_python_reads_what_was_written(mapping: dict[str, list[str]]) -> None:
    raw = dumps(mapping)
    loaded = pickle.loads(raw)  # noqa: S301 - written in the line above
    assert loaded == mapping
    assert list(loaded) == list(mapping)
    assert {opcode.name for opcode, _, _ in pickletools.genops(raw)} <= HARMLESS  # nothing that could be called


def test_types_are_built_in() -> None:
    loaded = pickle.loads(dumps({"198.51.100.1": ("a.example", "b.example")}))  # noqa: S301 - likewise
    assert loaded == {"198.51.100.1": ["a.example", "b.example"]}
    assert type(loaded["198.51.100.1"]) is list
    assert pickletools.optimize(dumps({})) == dumps({})
