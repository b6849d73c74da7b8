"""What every run of the program reads anew and what is the same for all: read once for all the tests of a process.

Rule 1: a test that is about the reading imports the reader by its name, before `read_once`, and has it unchanged.
Rule 2: only our own tables are kept; a user's file is read whenever it is named.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest import mock

from daemon.classify import names, organisation_files, suffixes
from daemon.classify.organisations import OrganisationTable

_THRESHOLDS = 20_000, 10, 5  # less often than Python's own, which looks at everything again and again


@contextmanager
def read_once() -> Iterator[None]:
    """Within: `Knowledge` and `Names` get the same table of organisations and the same public suffixes each time."""
    load = organisation_files.load_organisations
    ours = cache(load)

    def load_once(
        paths: Sequence[Path] = (), is_public_suffix: Callable[[str], bool] | None = None, made_from: str | None = None
    ) -> OrganisationTable:
        return load(paths, is_public_suffix, made_from) if paths else ours()

    with (
        mock.patch.object(organisation_files, "load_organisations", load_once),
        mock.patch.object(names, "public_suffixes", cache(suffixes.public_suffixes)),
    ):
        yield


@contextmanager
def garbage_collected() -> Iterator[None]:
    """Within: a command that takes all there is for everlasting (`appliance.bulk`) is the first of many, and is not.

    What commands leave behind would else stay for as long as the tests go on: 8 MB for every import.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()  # modules and the list of tests, for which that is true
    gc.set_threshold(*_THRESHOLDS)
    try:
        with mock.patch.object(gc, "freeze"), mock.patch.object(gc, "set_threshold"):
            yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
