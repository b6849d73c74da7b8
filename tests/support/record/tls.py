"""Recipes of whole TLS handshakes: OpenSSL and curl against OpenSSL's server."""

from __future__ import annotations

from tests.support.lab import CLIENT_V4, CLIENT_V6, UPSTREAM_V4, UPSTREAM_V6, Namespace
from tests.support.record.studio import Recipe, Take, certificate, curl, s_server

API, WIDE, MQTT = "api.vendor.example", "*.vendor.example", "mqtt.vendor.example"
GET = "GET /tiny HTTP/1.0\r\n\r\n"
COLUMNS = (
    "client_address client_port server_address server_port name alpn version chosen_version cipher certificate_names"
)
SHOWN = f"{API} {WIDE}"


def s_client(machine: Namespace, port: int, to: tuple[str, int], *options: str) -> None:
    """One handshake and request by `openssl s_client` from a chosen local port."""
    address = f"[{to[0]}]" if ":" in to[0] else to[0]
    here = f"[{CLIENT_V6}]:{port}" if ":" in to[0] else f"{CLIENT_V4}:{port}"
    machine.run(
        "openssl",
        "s_client",
        "-bind",
        here,
        "-connect",
        f"{address}:{to[1]}",
        "-ign_eof",
        "-quiet",
        *options,
        text=GET,
        check=False,
    )


def _tls12(take: Take) -> None:
    client, server = take.lab.client, take.lab.upstream
    pair = certificate(take.lab.folder, API, WIDE)
    for port in (443, 8883, 4433):
        s_server(server, port, pair, "-tls1_2", "-alpn", "http/1.1", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    v4, v6 = UPSTREAM_V4[0], UPSTREAM_V6[0]
    old = ("-tls1_2",)
    with take.rolling():
        port = curl(client, v4, f"https://{API}/tiny", "--tls-max", "1.2", "--http1.1")
        six = curl(client, v6, f"https://{API}/tiny", "--tls-max", "1.2")
        s_client(client, 41001, (v4, 8883), *old, "-servername", MQTT, "-alpn", "mqtt")
        s_client(client, 41002, (v4, 4433), *old, "-servername", "MiXeD.vendor.example", "-alpn", "x-own,http/1.1")
        s_client(client, 41003, (v4, 443), *old, "-noservername")
    suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"  # what the server was limited to
    take.expect(
        "hellos",
        COLUMNS,
        [
            [CLIENT_V4, port, v4, 443, API, "http/1.1", "TLS1.2", "TLS1.2", suite, SHOWN],
            [CLIENT_V6, six, v6, 443, API, "h2,http/1.1", "TLS1.2", "TLS1.2", suite, SHOWN],
            [CLIENT_V4, 41002, v4, 4433, "mixed.vendor.example", "x-own,http/1.1", "TLS1.2", "TLS1.2", suite, SHOWN],
            [CLIENT_V4, 41003, v4, 443, None, None, "TLS1.2", "TLS1.2", suite, SHOWN],
            # the server knows no `mqtt` and says no_application_protocol (RFC 7301 section 3.2): nothing was chosen
            [CLIENT_V4, 41001, v4, 8883, MQTT, "mqtt", "TLS1.2", None, None, None],
        ],
        where={"source": "tls"},
    )
    for number, to, there in ((port, 443, v4), (41001, 8883, v4), (41002, 4433, v4), (41003, 443, v4)):
        take.flow("tcp", CLIENT_V4, number, there, to)
    take.flow("tcp", CLIENT_V6, six, v6, 443, ip_version=6, server_name=API)
    _encrypted(take, "tcp", [(CLIENT_V4, 41002, 4433), (CLIENT_V4, 41003, 443), (CLIENT_V4, port, 443)])


def _tls13(take: Take) -> None:
    client, server, folder = take.lab.client, take.lab.upstream, take.lab.folder
    pair = certificate(folder, API, WIDE)
    s_server(server, 443, pair, "-tls1_3", "-alpn", "h2,http/1.1", "-ciphersuites", "TLS_AES_128_GCM_SHA256")
    s_server(server, 8443, pair, "-groups", "P-384", "-ciphersuites", "TLS_AES_128_GCM_SHA256")
    v4, v6, session = UPSTREAM_V4[0], UPSTREAM_V6[0], str(folder / "session.pem")
    with take.rolling():
        s_client(client, 42000, (v4, 443), "-servername", API, "-sess_out", session)
        s_client(client, 42001, (v4, 443), "-servername", API, "-sess_in", session)
        s_client(client, 42002, (v4, 8443), "-servername", "retry.vendor.example", "-groups", "X25519:P-384")
        s_client(client, 42003, (v6, 443), "-servername", "six.vendor.example", "-alpn", "h2", "-tls1_3")
        s_client(client, 42004, (v4, 443), "-noservername", "-tls1_3")
    suite = "TLS_AES_128_GCM_SHA256"
    take.expect(
        "hellos",
        COLUMNS,
        [
            [CLIENT_V4, 42000, v4, 443, API, None, "TLS1.3", "TLS1.3", suite, None],
            [CLIENT_V4, 42001, v4, 443, API, None, "TLS1.3", "TLS1.3", suite, None],
            [CLIENT_V4, 42002, v4, 8443, "retry.vendor.example", None, "TLS1.3", "TLS1.3", suite, None],
            [CLIENT_V6, 42003, v6, 443, "six.vendor.example", "h2", "TLS1.3", "TLS1.3", suite, None],
            [CLIENT_V4, 42004, v4, 443, None, None, "TLS1.3", "TLS1.3", suite, None],
        ],
        where={"source": "tls"},
        why="port 8443 only speaks P-384: HelloRetryRequest and two ClientHellos in one handshake",
    )
    take.repeated["tls"] = ["retry.vendor.example"]
    for number, to in ((42000, 443), (42001, 443), (42002, 8443), (42004, 443)):
        take.flow("tcp", CLIENT_V4, number, v4, to)
    take.flow("tcp", CLIENT_V6, 42003, v6, 443, ip_version=6, server_name="six.vendor.example")
    _encrypted(take, "tcp", [(CLIENT_V4, 42002, 8443), (CLIENT_V6, 42003, 443)])


def _encrypted(take: Take, protocol: str, ends: list[tuple[str, int, int]]) -> None:
    take.expect(
        "flows",
        "protocol client_address client_port server_port encrypted",
        [[protocol, *e, "yes"] for e in ends],
        match="some",
    )


RECIPES = (
    Recipe(
        "tls12",
        "curl and openssl s_client up to TLS 1.2 on ports 443, 8883, 4433, IPv4 and IPv6, with ALPN, without "
        "SNI, one handshake refused.",
        _tls12,
        ("openssl", "curl"),
        variants=(".pcapng", "-ns.pcap", "-be.pcap", ".pcap.gz", ".pcapng.gz"),
    ),
    Recipe(
        "tls13",
        "openssl s_client with TLS 1.3: a first handshake, its resumption, a HelloRetryRequest, IPv6, without SNI.",
        _tls13,
        ("openssl",),
    ),
)
