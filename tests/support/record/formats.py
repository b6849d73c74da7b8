"""Recipes of other containers and link layers, and the same packets in other containers."""

from __future__ import annotations

import gzip
import signal
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.lab import AP_V4, CLIENT_MAC, CLIENT_V4, OTHER_MAC, UPSTREAM_V4, wait_until
from tests.support.record.names import API, CDN, dnsmasq, web
from tests.support.record.studio import Recipe, Take, certificate, curl, s_server
from tests.support.record.tunnels import IFF_TUN, INNER4, INNER6, Wrapper, gre_header, in_ip, outer_ends, talk

ONE = UPSTREAM_V4[0]


def _session(take: Take, *options: str) -> None:
    """A question, a page and a TLS handshake, taped inside the client on all its interfaces."""
    lab = take.lab
    dnsmasq(lab.ap, "interface=wlan0", "bind-dynamic")
    web(lab.upstream)
    s_server(lab.upstream, 443, certificate(lab.folder, API))
    with take.rolling(lab.client, "any", options=options):
        lab.client.run("dig", "+tries=1", "-b", f"{CLIENT_V4}#50000", f"@{AP_V4}", API, "A")
        page = curl(lab.client, ONE, f"http://{CDN}/status")
        tls = curl(lab.client, ONE, f"https://{API}/tiny", "--http1.1")
    take.expect("dns_queries", "name type", [[API, "A"]])
    take.expect("hellos", "client_port name", [[page, CDN]], where={"source": "http"})
    take.expect("hellos", "client_port name alpn", [[tls, API, "http/1.1"]], where={"source": "tls"})
    take.flow("udp", CLIENT_V4, 50000, AP_V4, 53, service="dns")
    take.flow("tcp", CLIENT_V4, page, ONE, 80, service="http", server_name=CDN)
    take.flow("tcp", CLIENT_V4, tls, ONE, 443, server_name=API)


def _raw_ip(take: Take) -> None:
    """tcpdump on a TUN device: packets begin with the IP header."""
    pair = (
        in_ip(47, outer_ends(v6=False, side=0), gre_header, 4),
        in_ip(47, outer_ends(v6=False, side=1), gre_header, 4),
    )
    with (
        Wrapper(take.lab.client, "tun0", IFF_TUN, (CLIENT_MAC, OTHER_MAC), *pair[0]),
        Wrapper(take.lab.other, "tun0", IFF_TUN, (OTHER_MAC, CLIENT_MAC), *pair[1]),
        take.rolling(take.lab.client, "tun0"),
    ):
        asked = talk(take, "tun0", None)
    take.expect(
        "dns_queries",
        "client_address name type",
        [[me, name, "A"] for me, name in zip((INNER4[0], INNER6[0]), asked, strict=True)],
    )


def _two_interfaces(take: Take) -> None:
    """dumpcap writes pcapng from two interfaces: the client asks the access point, the access point asks upstream."""
    lab = take.lab
    dnsmasq(lab.ap, "interface=wlan0", "bind-dynamic")
    web(lab.upstream)
    raw = take.path.with_suffix(".raw")
    tape = lab.ap.start("dumpcap", "-i", "wlan0", "-i", "eth0", "-w", str(raw))
    wait_until(lambda: "File: " in lab.ap.output(tape), "dumpcap")
    time.sleep(0.5)
    lab.client.run("dig", "+tries=1", f"@{AP_V4}", CDN, "A")
    page = curl(lab.ap, ONE, f"http://{API}/update")
    lab.client.run("dig", "+tries=1", f"@{AP_V4}", API, "A")
    time.sleep(1)
    tape.send_signal(signal.SIGINT)
    tape.wait(10)
    take.path.write_bytes(without_origin(raw.read_bytes()))
    take.expect("dns_queries", "name type", [[CDN, "A"], [API, "A"]])
    take.expect("hellos", "client_address name", [["203.0.113.1", API]], where={"source": "http"})
    take.flow("tcp", "203.0.113.1", page, ONE, 80, service="http", server_name=API)


def without_origin(data: bytes) -> bytes:
    """A pcapng file whose section header no longer names the machine it was made on."""
    length = struct.unpack_from("<I", data, 4)[0]
    head = data[:4] + struct.pack("<I", 28) + data[8:24] + struct.pack("<I", 28)
    return head + data[length:]


def _editcap(kind: str) -> Callable[[Path, Path], None]:
    def convert(source: Path, target: Path) -> None:
        subprocess.run(["editcap", "-F", kind, str(source), str(target)], check=True, capture_output=True)
        if kind == "pcapng":
            target.write_bytes(without_origin(target.read_bytes()))

    return convert


def _gzip(source: Path, target: Path) -> None:
    target.write_bytes(gzip.compress(source.read_bytes(), mtime=0))


def _pcapng_gzip(source: Path, target: Path) -> None:
    plain = source.with_suffix(".plain")
    _editcap("pcapng")(source, plain)
    _gzip(plain, target)


def _other_order(source: Path, target: Path) -> None:
    """The same file as a machine of the other byte order would have written it."""
    data, at = source.read_bytes(), 24
    out = [struct.pack(">IHHiIII", *struct.unpack_from("<IHHiIII", data))]
    while at < len(data):
        record = struct.unpack_from("<IIII", data, at)
        out.append(struct.pack(">IIII", *record) + data[at + 16 : at + 16 + record[2]])
        at += 16 + record[2]
    target.write_bytes(b"".join(out))


VARIANTS: dict[str, Callable[[Path, Path], None]] = {
    ".pcapng": _editcap("pcapng"),
    "-ns.pcap": _editcap("nsecpcap"),
    "-be.pcap": _other_order,
    ".pcap.gz": _gzip,
    ".pcapng.gz": _pcapng_gzip,
}
RECIPES = (
    Recipe(
        "cooked",
        "tcpdump -i any: Linux cooked v2 with the same kinds of traffic.",
        lambda take: _session(take, "-y", "LINUX_SLL2"),
        ("dnsmasq", "dig", "nginx", "openssl", "curl"),
    ),
    Recipe(
        "cooked_v1",
        "tcpdump -i any -y LINUX_SLL: Linux cooked v1.",
        lambda take: _session(take, "-y", "LINUX_SLL"),
        ("dnsmasq", "dig", "nginx", "openssl", "curl"),
    ),
    Recipe("raw_ip", "tcpdump on a TUN device: no link layer.", _raw_ip, ("dnsmasq", "dig", "nginx", "curl")),
    Recipe(
        "two_interfaces",
        "dumpcap on two interfaces at once, into one pcapng file.",
        _two_interfaces,
        ("dumpcap", "dnsmasq", "dig", "nginx", "curl"),
        suffix=".pcapng",
    ),
)
