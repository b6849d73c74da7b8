"""What the kernel leaves out: the box's own ssh and dashboard, and devices whose owner wishes so.

Rule 1: only what the box serves is left out: packets to or from one of its own addresses, at one of the given ports of
        its own. What devices do with ssh or the web elsewhere passes through the box and is recorded.
Rule 2: addresses are read from /proc, which takes no privilege and no socket.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

OWN_PORTS = (22, 80, 443, 8080)  # ssh; the dashboard with and without a web server before it

MOST_DEVICES = 128  # in a filter, 8 instructions each; more are taken from the kernel and thrown away here
_MOST = 64  # addresses in a filter: the kernel takes 4,096 instructions, and an IPv6 address is worth some 10


def own_addresses(proc: Path = Path("/proc/self/net")) -> tuple[str, ...]:
    """Every address of this machine but those that never leave it, in order. OSError where they cannot be read."""
    found = {*_ipv4((proc / "fib_trie").read_text("ascii")), *_ipv6(proc / "if_inet6")}
    return tuple(str(address) for address in sorted(found, key=lambda a: (a.version, a)) if not address.is_loopback)


def _ipv4(trie: str) -> Iterator[Address]:
    """Of the routing table, the leaves that the kernel delivers to itself."""
    leaf = ""
    for line in trie.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words == ["/32", "host", "LOCAL"]:
            yield ipaddress.ip_address(leaf)


def _ipv6(table: Path) -> Iterator[Address]:
    if not table.exists():  # a machine without IPv6
        return
    for line in table.read_text("ascii").splitlines():
        yield ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))


def without_own(addresses: Sequence[str], ports: Iterable[int]) -> str:
    """A filter expression (pcap-filter(7)) that leaves out what these addresses serve at these TCP ports; "" for none."""
    served = sorted(set(ports))
    if not addresses or not served:
        return ""
    to_port = " or ".join(f"tcp dst port {port}" for port in served)
    from_port = " or ".join(f"tcp src port {port}" for port in served)
    to_box = " or ".join(f"dst host {address}" for address in addresses[:_MOST])
    from_box = " or ".join(f"src host {address}" for address in addresses[:_MOST])
    return f"not ((({to_port}) and ({to_box})) or (({from_port}) and ({from_box})))"


def without_devices(macs: Sequence[bytes]) -> str:
    """An expression that leaves out frames from and to the first MOST_DEVICES of these MACs; "" for none."""
    hosts = " or ".join(f"ether host {mac.hex(':')}" for mac in macs[:MOST_DEVICES])
    return f"not ({hosts})" if hosts else ""


def both(*parts: str) -> str:
    """One expression of several. A person's comes last: `vlan` and `pppoes` in it would move what comes after them."""
    return " and ".join(f"({part})" for part in parts if part.strip())
