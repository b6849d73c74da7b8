"""Which addresses are elsewhere: the far ends of a device's conversations.

Rule: an address is at home if it can be nowhere else (private, link-local, multicast, loopback), if a device at home had
      it, or if it lies in a prefix that is the home's. Everything else is elsewhere, documentation ranges included.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from daemon.flow.local import GLOBAL, address_number, scope_of


class Home:
    """Tells the addresses of one site from those of the rest of the world."""

    def __init__(self, prefixes: Iterable[str] = (), addresses: Iterable[str] = ()) -> None:
        networks = [ip_network(prefix, strict=False) for prefix in prefixes]
        shifts = [(net, net.max_prefixlen - net.prefixlen) for net in networks]
        self._prefixes = [(net.version, int(net.network_address) >> shift, shift) for net, shift in shifts]
        self._addresses = frozenset(addresses)
        self._known: dict[str, bool] = {}

    def is_elsewhere(self, address: str) -> bool:
        """Whether the address is one, and not at home."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = self._judge(address)
        return known

    def remote(self, client: str, server: str) -> str | None:
        """The far end of a conversation: the server unless that is at home, else the client; None if both are at home."""
        return next((end for end in (server, client) if self.is_elsewhere(end)), None)

    def _judge(self, address: str) -> bool:
        if address in self._addresses:
            return False
        try:
            version, number = address_number(address)
        except ValueError:
            return False
        if scope_of(version, number) != GLOBAL:
            return False
        return not any(version == each and number >> shift == head for each, head, shift in self._prefixes)
