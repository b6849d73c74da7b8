from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.classify import organisation_files
from daemon.classify.organisations import OrganisationTable


@pytest.fixture(autouse=True, scope="package")
def _table_read_once() -> Iterator[None]:
    """Every import of a test is a run of the program, which would read the table of organisations again."""
    load, ours = organisation_files.load_organisations, organisation_files.load_organisations()

    def load_once(paths: tuple[Path, ...] = (), *args: object) -> OrganisationTable:
        return load(paths, *args) if paths else ours  # type: ignore[arg-type]  # as its caller gave them

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(organisation_files, "load_organisations", load_once)
        yield
