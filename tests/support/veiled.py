"""Connections whose hello has an encrypted part (ECH), and a name in the open that may only be a front."""

from __future__ import annotations

from tests.daemon.decode.hellos import alpn, client_hello, extension, records, sni, versions
from tests.daemon.ingest.houses import CDN
from tests.daemon.ingest.scenes import Frame
from tests.support import packets as p
from tests.support.packets import HOST, HOST_MAC

FRONT = "front.example"
# encrypted_client_hello, outer form: suite, configuration, an encapsulated key and a payload (RFC 9849 section 5)
OUTER = extension(0xFE0D, b"\x00" + b"\x00\x01\x00\x01" + b"\x2a" + b"\x00\x20" + bytes(32) + b"\x00\x40" + bytes(64))


def veiled(
    at: int, name: str = FRONT, *, server: str = CDN, client: str = HOST, mac: str = HOST_MAC, port: int = 40000,
    close: bool = True, gap_us: int = 1000,
) -> list[Frame]:  # fmt: skip
    """A connection whose hello has an encrypted part and this name in the open."""
    hello = records(client_hello(sni(name.encode()) + OUTER + alpn(b"h2") + versions(0x0304)))
    conversation = p.Conversation(
        client=client, server=server, client_port=port, client_mac=mac, start_us=at, gap_us=gap_us
    )
    conversation.open().send(hello).reply(b"y" * 900)
    return (conversation.close() if close else conversation).frames
