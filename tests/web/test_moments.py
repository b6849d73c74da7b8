"""Times in addresses are read as what was meant, to the microsecond."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.report.moments import moment_us
from web.moments import instant


@given(
    st.integers(0, 4_102_444_800_000_000), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]), st.booleans()
)
def test_what_is_written_is_read_again(time_us: int, zone: str, ends: bool) -> None:
    assert moment_us(instant(time_us), zone, 0, ends=ends) == time_us
