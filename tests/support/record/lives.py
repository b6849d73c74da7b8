"""Recipes of connections with unusual lives: a port used again, half closed, opened from both ends, cut.

Sockets are the recipe's, the TCP is the kernel's on both sides.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time

from tests.support.lab import CLIENT_V4, OTHER_V4, UPSTREAM_V4, LabError, Namespace
from tests.support.record.names import web
from tests.support.record.segments import Speaker
from tests.support.record.studio import Recipe, Take, certificate, s_server

ONE, TWO = UPSTREAM_V4[0], UPSTREAM_V4[1]
NOW = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


def _socket(machine: Namespace, address: str, port: int) -> socket.socket:
    with machine.entered():
        made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.settimeout(5)
    return made


def _get(take: Take, port: int, server: str, host: str, *, abort: bool, served_close: bool = False) -> None:
    """One request from a given local port, ended by RST, or by FIN from the server's side first."""
    made = _socket(take.lab.client, CLIENT_V4, port)
    made.connect((server, 80))
    last = "close" if served_close else "keep-alive"
    made.sendall(f"GET /status HTTP/1.1\r\nHost: {host}\r\nConnection: {last}\r\n\r\n".encode())
    while made.recv(4096) and served_close:
        pass
    if abort:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
    made.close()
    time.sleep(0.05)
    take.flow("tcp", CLIENT_V4, port, server, 80, service="http", server_name=host, end="rst" if abort else "fin")


def _hello(take: Take, port: int, name: str) -> None:
    speaker = Speaker(name)
    made = _socket(take.lab.client, CLIENT_V4, port)
    made.connect((ONE, 443))
    made.sendall(speaker.step())
    while not speaker.done:
        made.sendall(speaker.step(made.recv(1 << 16)))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
    made.close()
    time.sleep(0.05)
    take.flow("tcp", CLIENT_V4, port, ONE, 443, server_name=name, end="rst")


def _half_closed(take: Take) -> None:
    """The client says all it has to say and FINs; only then does the server answer, at length."""
    with take.lab.upstream.entered():
        listener = socket.create_server((TWO, 7000))

    def answer() -> None:
        peer, _ = listener.accept()
        while peer.recv(4096):
            pass
        for _ in range(3):
            peer.sendall(b"late answer " * 100)
            time.sleep(0.05)
        peer.close()

    server = threading.Thread(target=answer)
    server.start()
    made = _socket(take.lab.client, CLIENT_V4, 45020)
    made.connect((TWO, 7000))
    made.sendall(b"question")
    made.shutdown(socket.SHUT_WR)
    while made.recv(4096):
        pass
    made.close()
    server.join()
    listener.close()
    take.flow("tcp", CLIENT_V4, 45020, TWO, 7000, end="fin")


def _both_ends(take: Take) -> None:
    """RFC 9293 section 3.5: both SYNs are under way before either arrives.

    The first ones are dropped where they arrive; repeated, they cross.
    """
    machines = (take.lab.client, take.lab.other)
    for machine in machines:
        machine.run("nft", "add", "table", "inet", "hold")
        machine.run("nft", "add chain inet hold input { type filter hook input priority 0 ; }")
        machine.run("nft", "add rule inet hold input tcp dport { 45030, 45031 } drop")
    ends = (_socket(machines[0], CLIENT_V4, 45030), _socket(machines[1], OTHER_V4, 45031))
    for end, peer in zip(ends, ((OTHER_V4, 45031), (CLIENT_V4, 45030)), strict=True):
        end.settimeout(0)
        end.connect_ex(peer)
        time.sleep(0.02)
    time.sleep(0.3)
    for machine in machines:
        machine.run("nft", "delete", "table", "inet", "hold")
    for end in ends:
        _, writable, _ = select.select([], [end], [], 10)
        if not writable or end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise LabError("no simultaneous open")
        end.settimeout(5)
    for end in ends:
        end.sendall(b"from both ends")
    for end in ends:
        end.recv(100)
    for end in ends:
        end.close()
    time.sleep(0.05)
    take.flow("tcp", CLIENT_V4, 45030, OTHER_V4, 45031, end="fin")


def _refused(take: Take) -> None:
    made = _socket(take.lab.client, CLIENT_V4, 45040)
    if made.connect_ex((ONE, 9)) == 0:
        raise LabError("somebody listens on port 9")
    made.close()
    take.flow("tcp", CLIENT_V4, 45040, ONE, 9, end="rst")


def _port_reuse(take: Take) -> None:
    web(take.lab.upstream)
    s_server(take.lab.upstream, 443, certificate(take.lab.folder, "api.vendor.example"))
    names = [f"{letter}.vendor.example" for letter in "abcdefg"]
    with take.rolling():
        _get(take, 45000, ONE, names[0], abort=True)
        _get(take, 45000, ONE, names[1], abort=True)
        _get(take, 45000, ONE, names[2], abort=False, served_close=True)
        _get(take, 45000, ONE, names[3], abort=False, served_close=True)
        _get(take, 45000, TWO, names[4], abort=True)
        _get(take, 45000, ONE, names[5], abort=True)
        _hello(take, 45010, "first.vendor.example")
        _hello(take, 45010, "second.vendor.example")
        _half_closed(take)
        _both_ends(take)
        _refused(take)
    hosts = [[ONE, 45000, names[i]] for i in (0, 1, 2, 3, 5)] + [[TWO, 45000, names[4]]]
    take.expect("hellos", "server_address client_port name", hosts, where={"source": "http"})
    take.expect(
        "hellos",
        "client_port name",
        [[45010, "first.vendor.example"], [45010, "second.vendor.example"]],
        where={"source": "tls"},
    )


def _midstream(take: Take) -> None:
    """The tape starts when the connections are old, and stops before they end."""
    web(take.lab.upstream)
    s_server(take.lab.upstream, 443, certificate(take.lab.folder, "api.vendor.example"))
    with take.lab.upstream.entered():
        listener = socket.create_server((TWO, 7001))
    pushed = _socket(take.lab.client, CLIENT_V4, 46002)
    pushed.connect((TWO, 7001))
    pusher, _ = listener.accept()
    page = _socket(take.lab.client, CLIENT_V4, 46000)
    page.connect((ONE, 80))
    request = b"GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n"
    page.sendall(request % (b"status", b"before.vendor.example"))
    page.recv(4096)
    secret, speaker = _socket(take.lab.client, CLIENT_V4, 46001), Speaker("unseen.vendor.example")
    secret.connect((ONE, 443))
    secret.sendall(speaker.step())
    handshake = speaker.step(secret.recv(1 << 16))
    with take.rolling():
        for path, host in ((b"status", b"during.vendor.example"), (b"update", b"during.vendor.example")):
            page.sendall(request % (path, host))
            page.recv(4096)
        secret.sendall(handshake)  # with the request: encrypted from the first byte on tape
        secret.recv(1 << 16)
        pusher.sendall(b"news from a server that speaks first on tape")
        pushed.recv(100)
        pushed.sendall(b"thanks")
    for end in (pushed, pusher, page, secret, listener):
        end.close()
    take.expect("hellos", "client_port name", [[46000, "during.vendor.example"]] * 2, where={"source": "http"})
    take.expect("hellos", "name", [], where={"source": "tls"}, why="the hello was over before the tape started")
    take.flow("tcp", CLIENT_V4, 46000, ONE, 80, service="http", end="cut", server_name="during.vendor.example")
    take.flow("tcp", CLIENT_V4, 46001, ONE, 443, end="cut")
    take.flow("tcp", CLIENT_V4, 46002, TWO, 7001, end="cut")


RECIPES = (
    Recipe(
        "port_reuse",
        "One local port for connection after connection (after RST, after FIN from the server), a half-closed "
        "one, one opened from both ends "
        "at once, a refused one. Sockets by the recipe, kernel TCP on both sides.",
        _port_reuse,
        ("nginx", "openssl", "nft"),
    ),
    Recipe(
        "midstream",
        "HTTP, TLS and another protocol, taped from the middle of the connection to before its end; one begins "
        "with the server's words.",
        _midstream,
        ("nginx", "openssl"),
    ),
)
