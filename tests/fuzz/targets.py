"""What is fuzzed: one function a parser or file reader, from bytes to nothing, with what must hold for any input.

Rule 1: DecodeError is an answer; every other exception is a finding, and so is a failed assertion.
Rule 2: a target keeps nothing from one input to the next.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from daemon.decode import dhcp, dhcpv6, dns, http, ndp, netbios, signatures, ssdp, tls
from daemon.decode.certificate import certificate_names
from daemon.decode.columns import SPARE, decode_columns
from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import mdns_hints
from daemon.decode.fragments import Fragments
from daemon.decode.links import SUPPORTED
from daemon.decode.packet import UNDECODED
from daemon.decode.quic import HelloAssembler
from daemon.decode.records import Records
from daemon.decode.slow import decode_frame
from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.settle import settle_site
from daemon.store.database import open_database
from tests.support.captures import read

Target = Callable[[bytes], None]
LINKS = (*sorted(SUPPORTED), 105)

_KNOWLEDGE = Knowledge()  # loaded once


@contextmanager
def answered() -> Iterator[None]:
    """Inside the block a parser may say that the bytes are not what it reads."""
    try:
        yield
    except DecodeError:
        return


def fuzz_dns(data: bytes) -> None:
    """A message however it is read, its hints, and a stream of them."""
    with answered():
        message = dns.parse_message(data)
        assert message == dns.parse_plainly(data)
        mdns_hints(message)
    with answered():
        messages, consumed = dns.parse_stream(data)
        assert 0 <= consumed <= len(data)
        assert sum(map(len, messages)) <= len(data)


def fuzz_tls(data: bytes) -> None:
    """A flight of records, hellos of either side, certificates."""
    with answered():
        flight = tls.parse_records(data)
        if flight is not None:
            assert 0 <= flight.consumed <= len(data)
    for parse in (tls.parse_client_hello, tls.parse_server_hello, tls.parse_dtls_client_hello, certificate_names):
        with answered():
            parse(data)


def fuzz_quic(data: bytes) -> None:
    """Datagrams of both directions, one after the other: the first byte says where the input is divided."""
    if not data:
        return
    first, second = data[1 : 1 + 6 * data[0]], data[1 + 6 * data[0] :]
    assembler = HelloAssembler()
    for datagram in (first, second, data[1:]):
        with answered():
            assembler.feed(datagram)
    assert HelloAssembler.from_state(assembler.state()).state() == assembler.state()


def fuzz_http(data: bytes) -> None:
    """Requests in a stream, whole and in two pieces."""
    with answered():
        http.parse_request(data)
    whole, pieces = http.RequestReader(), http.RequestReader()
    cut = len(data) // 2
    with answered():
        requests = whole.feed(data)
        assert len(requests) <= len(data)
    with answered():
        pieces.feed(data[:cut])
        pieces.feed(data[cut:])


def fuzz_dhcp(data: bytes) -> None:
    """DHCP for IPv4."""
    with answered():
        dhcp.parse_dhcp(data)


def fuzz_dhcpv6(data: bytes) -> None:
    """DHCP for IPv6."""
    with answered():
        dhcpv6.parse_dhcpv6(data)


def fuzz_ssdp(data: bytes) -> None:
    """SSDP."""
    with answered():
        ssdp.parse_ssdp(data)


def fuzz_netbios(data: bytes) -> None:
    """NetBIOS names and datagrams."""
    for parse in (netbios.parse_name_service, netbios.parse_datagram):
        with answered():
            parse(data)


def fuzz_ndp(data: bytes) -> None:
    """Neighbour discovery."""
    with answered():
        ndp.parse_router_advertisement(data)


def fuzz_signatures(data: bytes) -> None:
    """Services told by their first bytes: any bytes get an answer."""
    signatures.recognise_tcp(data)
    signatures.recognise_udp(data, 40_000, 50_000)
    signatures.recognise_udp_pair(data[: len(data) // 2], data[len(data) // 2 :])


def fuzz_pcap(data: bytes) -> None:
    """A pcap or pcapng file, in one piece and in two: the same records."""
    with answered():
        whole = read(data)
        for row in whole.rows:
            assert 0 <= row.offset <= row.offset + row.captured <= len(data)
        assert whole == read(data, [len(data) // 2], through_state=True)


def fuzz_pcapng(data: bytes) -> None:
    """The same behind a section header, so that less luck is needed."""
    fuzz_pcap(bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000") + data)


def fuzz_slow(data: bytes) -> None:
    """One frame: the thorough path and the columns agree on what is decoded, and on whose it is."""
    if not data:
        return
    link, frame = LINKS[data[0] % len(LINKS)], data[1:]
    packet = decode_frame(frame, len(frame), link, 0, Fragments())
    buf = bytearray(frame + bytes(SPARE))
    one = np.ones(1, np.int64)
    records = Records(
        0 * one, len(frame) * one, len(frame) * one, 0 * one, (link * one).astype(np.int32), len(frame), ()
    )
    for thorough in (False, True):
        columns = decode_columns(buf, records, Fragments(), thorough=thorough)
        assert int(columns.kind[0]) == packet.kind
        if packet.kind != UNDECODED:
            assert int(columns.protocol[0]) == packet.protocol
            assert int(columns.source_port[0]) == packet.source_port


def fuzz_import(data: bytes) -> None:
    """A capture file from end to end: every packet and byte is counted once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fuzz.pcap").write_bytes(data)
        with closing(open_database(folder / "h.db")) as db:
            import_file(db, folder / "h.db", Task(folder / "fuzz.pcap", "home"))
            settle_site(db, folder / "h.db", "home", (), _KNOWLEDGE)
            _balanced(db)


def _balanced(db: sqlite3.Connection) -> None:
    for unit in ("packets", "bytes"):
        counted = db.execute(
            f"SELECT (SELECT coalesce(sum({unit}_up + {unit}_down), 0) FROM traffic)"  # noqa: S608  one of two words
            f" + (SELECT coalesce(sum(undecoded_{unit}), 0) FROM captures) - (SELECT coalesce(sum({unit}), 0) FROM captures)"
        ).fetchone()[0]
        assert counted == 0, f"{counted} {unit} too many"


TARGETS: dict[str, Target] = {
    "dns": fuzz_dns,
    "tls": fuzz_tls,
    "quic": fuzz_quic,
    "http": fuzz_http,
    "dhcp": fuzz_dhcp,
    "dhcpv6": fuzz_dhcpv6,
    "ssdp": fuzz_ssdp,
    "netbios": fuzz_netbios,
    "ndp": fuzz_ndp,
    "signatures": fuzz_signatures,
    "pcap": fuzz_pcap,
    "pcapng": fuzz_pcapng,
    "slow": fuzz_slow,
    "import": fuzz_import,
}
