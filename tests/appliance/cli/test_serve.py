"""`homeport serve` where it cannot serve; that it does is in tests/system/test_dashboard.py."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.appliance.conftest import Homeport


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104  what must be refused
def test_without_a_login_it_stays_on_this_machine(homeport: Homeport, host: str) -> None:
    ran = homeport("serve", "--open", "--host", host)
    assert ran.code == 2
    assert "only on 127.0.0.1 or ::1" in ran.err


def test_a_port_that_is_taken_is_named_and_so_is_a_missing_database(homeport: Homeport, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ran = homeport("serve", "--open", "--port", str(port), "--db", tmp_path / "absent.db")
    assert ran.code == 3
    assert f"There is no database at {tmp_path / 'absent.db'} yet" in ran.err
    assert f"cannot listen at 127.0.0.1:{port}" in ran.err


def test_what_no_page_could_show_is_said_at_the_start(homeport: Homeport, tmp_path: Path) -> None:
    wrong = tmp_path / "capture.pcap"
    wrong.write_bytes(b"\xd4\xc3\xb2\xa1" * 200)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ran = homeport("serve", "--open", "--port", str(other.getsockname()[1]), "--db", wrong)
    assert f"The pages cannot show anything: {wrong} is not a Homeport database" in ran.err
