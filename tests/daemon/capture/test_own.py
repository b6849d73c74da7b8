from __future__ import annotations

import socket
from pathlib import Path

from daemon.capture.own import both, own_addresses, without_own

TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     +-- 192.168.50.0/24 2 0 2
        +-- 192.168.50.0/28 2 0 2
           |-- 192.168.50.0
              /24 link UNICAST
           |-- 192.168.50.1
              /32 host LOCAL
        |-- 192.168.50.255
           /32 link BROADCAST
Local:
     |-- 192.168.50.1
        /32 host LOCAL
"""
INET6 = """20010db8005000000000000000000001 02 40 00 80    wlan0
00000000000000000000000000000001 01 80 10 80       lo
"""


def test_addresses_are_the_machines_own_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(TRIE)
    (tmp_path / "if_inet6").write_text(INET6)
    assert own_addresses(tmp_path) == ("192.168.50.1", "2001:db8:50::1")
    (tmp_path / "if_inet6").unlink()
    assert own_addresses(tmp_path) == ("192.168.50.1",)


def test_this_machine_can_be_asked() -> None:
    for address in own_addresses():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        assert socket.inet_pton(family, address)


def test_nothing_is_left_out_where_there_is_nothing_to() -> None:
    assert without_own((), (22,)) == ""
    assert without_own(("192.0.2.1",), ()) == ""
    assert both("", "") == ""
    assert both("", "udp") == "(udp)"


def test_both_parts_keep_their_meaning() -> None:
    own = without_own(("192.0.2.1", "2001:db8::1"), (22, 80, 22))
    assert both(own, "udp or icmp").startswith("(not (((tcp dst port 22 or tcp dst port 80) and ")
    assert both(own, "udp or icmp").endswith(" and (udp or icmp)")
