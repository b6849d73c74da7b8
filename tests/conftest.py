from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.once import garbage_collected, read_once

settings.register_profile(
    "default",
    max_examples=60,
    deadline=None,  # machines are shared: a slow example is not a bug
    derandomize=True,  # the same run everywhere; `make fuzz` is the place for luck
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("long", max_examples=5000, deadline=None)
settings.load_profile("default")


@pytest.fixture(autouse=True, scope="session")
def many_commands_in_one_process() -> Iterator[None]:
    """Tests run hundreds of commands in this process, which were made to be its first and last."""
    with read_once(), garbage_collected():
        yield


@pytest.fixture(autouse=True)
def umask_as_it_was() -> Iterator[None]:
    """A command that was run in this process may have set its own, as services do."""
    before = os.umask(0o022)
    yield
    os.umask(before)
