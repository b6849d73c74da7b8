"""Recipes of QUIC (aioquic on both sides), and of Chromium over TLS and QUIC.

Chromium's hello is post-quantum, its extensions are shuffled, it is longer than a packet, and over QUIC its pieces are
scrambled on purpose: nothing that a recipe could make up is as good.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.support.lab import CLIENT_V4, CLIENT_V6, UPSTREAM_V4, UPSTREAM_V6, LabError, Namespace
from tests.support.record.studio import Recipe, Take, certificate, scratch_python

PEER = str(Path(__file__).with_name("quic_peer.py"))
PACKAGES = ("aioquic==1.7.2",)
ONE, ONE6 = UPSTREAM_V4[0], UPSTREAM_V6[0]


def _server(machine: Namespace, address: str, port: int, pair: tuple[str, str], *options: str) -> None:
    machine.serve(
        port, scratch_python(*PACKAGES), PEER, "server", address, str(port), *pair, *options, kind=socket.SOCK_DGRAM
    )


def _quic(take: Take) -> None:
    python, server = scratch_python(*PACKAGES), take.lab.upstream
    pair = certificate(take.lab.folder, "api.vendor.example")
    _server(server, ONE, 443, pair)
    _server(server, ONE, 8443, pair, "retry")
    _server(server, ONE6, 4443, pair)
    many = ",".join(["vendor", *(f"x-vendor-protocol-{i}" for i in range(80))])
    plans = [
        (ONE, 443, 52000, "one.vendor.example", "v1", "vendor"),
        (ONE, 443, 52001, "two.vendor.example", "v2", "vendor"),
        (ONE, 443, 52002, "compatible.vendor.example", "v1-to-v2", "vendor"),
        (ONE, 8443, 52003, "retry.vendor.example", "v1", "vendor"),
        (ONE, 443, 52004, "long-hello.vendor.example", "v1", many),
        (ONE6, 4443, 52005, "six.vendor.example", "v1", "vendor"),
    ]
    with take.rolling():
        for address, port, local, name, version, alpn in plans:
            take.lab.client.run(python, PEER, "client", address, str(port), str(local), name, version, alpn)
            v6 = ":" in address
            me = CLIENT_V6 if v6 else CLIENT_V4
            take.flow("udp", me, local, address, port, ip_version=6 if v6 else 4, service="quic", server_name=name)
    take.expect(
        "hellos",
        "server_address client_port server_port name",
        [[address, local, port, name] for address, port, local, name, _, _ in plans],
        where={"source": "quic"},
        why="52003 meets a Retry (RFC 9000 section 17.2.5), 52002 ends in version 2 (RFC 9368), "
        "52004 needs several Initials for its hello",
    )
    take.expect(
        "hellos",
        "client_port alpn version",
        [[local, alpn, "TLS1.3"] for _, _, local, _, _, alpn in plans if alpn != many],
        match="some",
        where={"source": "quic"},
    )


def _spki(cert: str) -> str:
    """SHA-256 of the public key, as Chromium's --ignore-certificate-errors-spki-list wants it."""
    pem = subprocess.run(
        ["openssl", "x509", "-in", cert, "-pubkey", "-noout"], check=True, capture_output=True, text=True
    ).stdout
    der = base64.b64decode("".join(line for line in pem.splitlines() if "-----" not in line))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def _browse(take: Take, name: str, cert: str, url: str, *options: str) -> None:
    profile = take.lab.folder / f"profile-{name}"
    told = take.lab.client.run(
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-default-apps",
        "--disable-extensions",
        "--metrics-recording-only",
        "--disable-features=OptimizationHints,MediaRouter,Translate",
        f"--user-data-dir={profile}",
        f"--ignore-certificate-errors-spki-list={_spki(cert)}",
        f"--host-resolver-rules=MAP *.vendor.example {ONE}, MAP * ~NOTFOUND",
        "--virtual-time-budget=2000",
        *options,
        "--dump-dom",
        url,
        timeout=60,
    )
    shutil.rmtree(profile, ignore_errors=True)
    if "ok" not in told:
        raise LabError(f"chromium saw {told[:300]!r}")


def _chromium(take: Take) -> None:
    pair = certificate(take.lab.folder, "api.vendor.example", "*.vendor.example")
    upstream = take.lab.upstream
    _server(upstream, ONE, 443, pair)
    root = take.lab.folder / "www"
    root.mkdir()
    (root / "index.html").write_text("ok\n")
    config = take.lab.folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {take.lab.folder}/nginx.pid; error_log stderr; user root; worker_processes 1;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; server {{ listen 443 ssl http2; ssl_protocols TLSv1.3; ssl_certificate "
        f"{pair[0]}; ssl_certificate_key {pair[1]}; root {root}; }} }}\n"
    )
    upstream.serve(443, "nginx", "-e", "stderr", "-c", str(config))
    with take.rolling(only="host 203.0.113.10"):
        _browse(take, "tls", pair[0], "https://www.vendor.example/", "--disable-quic")
        time.sleep(0.2)
        _browse(
            take,
            "quic",
            pair[0],
            "https://video.vendor.example/",
            "--enable-quic",
            "--origin-to-force-quic-on=video.vendor.example:443",
        )
    take.expect(
        "hellos",
        "server_address server_port name alpn version",
        [[ONE, 443, "www.vendor.example", "h2,http/1.1", "TLS1.3"]],
        match="some",
        where={"source": "tls"},
        why="Chromium decides how many connections it opens",
    )
    take.expect(
        "hellos",
        "server_address server_port name alpn",
        [[ONE, 443, "video.vendor.example", "h3"]],
        match="some",
        where={"source": "quic"},
    )


RECIPES = (
    Recipe(
        "quic",
        "aioquic to aioquic: version 1, version 2, 1 to 2, Retry, a hello longer than one Initial, IPv6.",
        _quic,
        ("openssl",),
    ),
    Recipe(
        "chromium",
        "Headless Chromium fetches a page by TLS 1.3 and HTTP/2 (nginx), another by HTTP/3 (aioquic).",
        _chromium,
        ("chromium", "nginx", "openssl"),
    ),
)
