"""Releases in the shape in which hosts serve them: signed redirects, chunks, real sizes; and hosts that mean no good."""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from appliance.data.fetch import Fetcher, FetchError
from appliance.data.install import origin_of
from appliance.data.sources import COUNTRY_ANSWERS, SOURCES, Source
from appliance.data.update import CURRENT, FAILED, UPDATED, Outcome, update
from daemon.store.atlas_files import open_atlas
from tests.appliance.data.test_update import NOW
from tests.support.atlas import mmdb

ASSET = "/github-production-release-asset/1234/server-country?X-Amz-Signature=abc%2Fdef&response-content-disposition=x"
DATABASE = mmdb(
    {
        **{address: {"country_code": str(code)} for address, code in COUNTRY_ANSWERS},
        **{f"45.{n >> 8}.{n & 255}.1": {"country_code": f"{n:06d}" * 16} for n in range(16_000)},
    }
)
DIGEST = hashlib.sha256(DATABASE).hexdigest().encode()

Answer = Callable[[BaseHTTPRequestHandler], None]


def redirected(to: str) -> Answer:
    def answer(one: BaseHTTPRequestHandler) -> None:
        one.send_response(302)
        one.send_header("Location", to)
        one.send_header("Content-Length", "0")
        one.end_headers()

    return answer


def whole(octets: bytes, **headers: str) -> Answer:
    def answer(one: BaseHTTPRequestHandler) -> None:
        one.send_response(200)
        for name, value in {"Content_Length": str(len(octets)), **headers}.items():
            one.send_header(name.replace("_", "-"), value)
        one.end_headers()
        one.wfile.write(octets)

    return answer


def chunked(octets: bytes, *, ends: bool = True) -> Answer:
    """Without a length (RFC 9112 section 7.1); one that breaks off lacks the last chunk."""

    def answer(one: BaseHTTPRequestHandler) -> None:
        one.send_response(200)
        one.send_header("Transfer-Encoding", "chunked")
        one.end_headers()
        for start in range(0, len(octets), 70_000):
            piece = octets[start : start + 70_000]
            one.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if ends:
            one.wfile.write(b"0\r\n\r\n")

    return answer


@contextmanager
def host(answers: dict[str, Answer]) -> Iterator[str]:
    """A web server on loopback that speaks HTTP/1.1; answers by path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        known: ClassVar[dict[str, Answer]] = answers

        def do_GET(self) -> None:
            self.close_connection = True
            with suppress(ConnectionError):  # who has had enough hangs up
                known = self.known.get(self.path) or self.known.get(urlsplit(self.path).path)
                known(self) if known else self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        web.daemon_threads = True
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_address[1]}"
        finally:
            web.shutdown()
            thread.join()


def at(address: str, name: str = "country") -> Source:
    """A source of the table with its own path, sizes and answers, at this host."""
    source = SOURCES[name]
    places = (f"{address}{urlsplit(url).path}" if url else None for url in (source.url, source.digest_url))
    return replace(source, **dict(zip(("url", "digest_url"), places, strict=True)))  # type: ignore[arg-type]  # as said


RELEASE, CHECKSUM = (urlsplit(url or "").path for url in (SOURCES["country"].url, SOURCES["country"].digest_url))


def run(folder: Path, source: Source, fetcher: Fetcher | None = None) -> Outcome:
    (outcome,) = update(folder, [source], (), fetcher or Fetcher(patience=10), lambda: NOW, lambda _: None)
    return outcome


@pytest.mark.parametrize("send", [whole, chunked])
def test_release_behind_signed_redirects_is_put_in_place(tmp_path: Path, send: Callable[[bytes], Answer]) -> None:
    """As GitHub serves one: /latest/ leads to a name with its signature, checksums come likewise."""
    answers = {
        RELEASE: redirected(ASSET),
        ASSET: send(DATABASE),
        CHECKSUM: redirected("/sum?sig=1"),
        "/sum": send(DIGEST + b" *./server-country.mmdb\r\n"),
    }
    with host(answers) as address:
        source = at(address)
        outcome = run(tmp_path, source)
        assert outcome.state == UPDATED, outcome.said
        assert run(tmp_path, source).state == CURRENT
    place = open_atlas(tmp_path).look_up("193.0.6.139")
    assert place is not None
    assert place.country == "NL"
    origin = origin_of(tmp_path / "country.mmdb")
    assert origin is not None
    assert (origin.size, origin.published_sha256) == (len(DATABASE), DIGEST.decode())


@pytest.mark.parametrize(
    ("served", "said"),
    [
        (chunked(DATABASE[:500_000], ends=False), "IncompleteRead|broke|too few|SHA-256"),
        (chunked(bytes(SOURCES["country"].largest + 1)), "more than the 67,108,864 bytes"),
        (whole(b"", Content_Length=str(1 << 60)), "more than the 67,108,864 that it may have"),
        (whole(DATABASE[:-1]), "SHA-256 is not the one"),
        (whole(gzip.compress(DATABASE), Content_Encoding="gzip"), "SHA-256 is not the one|too few"),
        (whole(b"<html>captive portal</html>"), "too few"),
        (redirected("https://[::1/x"), "not an address|Invalid"),
        (redirected("//"), "not an address|only https|no host|redirect"),
    ],
    ids=["broken-chunks", "endless", "huge", "a-byte-less", "packed", "portal", "no-address", "nowhere"],
)
def test_what_does_not_pass_leaves_the_one_that_is_there(tmp_path: Path, served: Answer, said: str) -> None:

    with host({RELEASE: whole(DATABASE), CHECKSUM: whole(DIGEST)}) as address:
        assert run(tmp_path, at(address)).state == UPDATED
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    newer = hashlib.sha256(b"newer").hexdigest().encode()
    with host({RELEASE: served, CHECKSUM: whole(newer)}) as address:
        outcome = run(tmp_path, at(address))
    assert outcome.state == FAILED
    assert re.search(said, outcome.said), outcome.said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("opening", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"], ids=["headers", "body"])
def test_byte_now_and_then_ends_at_the_deadline(opening: bytes) -> None:
    """Each byte is an answer in time; only the deadline tells that it never ends."""
    over = threading.Event()

    def trickle(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(opening)
            while not over.wait(0.02):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,))
        thread.start()
        began = time.monotonic()
        try:
            with pytest.raises(FetchError, match=r"not finished after 0\.3 seconds"):
                Fetcher(patience=60, deadline=0.3).read(f"http://127.0.0.1:{listening.getsockname()[1]}/x", 1 << 20)
        finally:
            over.set()
            thread.join()
    assert time.monotonic() - began < 30


def test_headers_without_end_are_refused() -> None:
    def answer(one: BaseHTTPRequestHandler) -> None:
        one.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: y\r\n" * 5000 + b"\r\n")

    with host({"/x": answer}) as address, pytest.raises(FetchError, match="headers"):
        Fetcher(patience=10).read(f"{address}/x", 100)
