from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import __version__
from appliance.data.fetch import Fetcher, FetchError, MissingError
from tests.support.atlas import Server, serving

WHOLE = bytes(range(256)) * 40


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"/file": WHOLE}) as web:
        yield web


def test_a_file_comes_whole(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(WHOLE)
    assert Fetcher().read(f"{server.address}/file", len(WHOLE)) == WHOLE
    assert Fetcher().read(tmp_path / "file", len(WHOLE)) == WHOLE


def test_more_than_is_allowed_is_not_read(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(WHOLE)
    with pytest.raises(FetchError, match="10,240 bytes, more than the 10,239 that it may have"):
        Fetcher().read(f"{server.address}/file", len(WHOLE) - 1)
    with pytest.raises(FetchError, match="more than the 10,239 bytes"):
        Fetcher().read(tmp_path / "file", len(WHOLE) - 1)
    assert Fetcher().read(f"{server.address}/file", len(WHOLE)) == WHOLE


def test_what_is_not_there_is_told_apart_from_what_fails(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="answers 404"):
        Fetcher().read(f"{server.address}/absent", 100)
    with pytest.raises(MissingError, match="no such file"):
        Fetcher().read(tmp_path / "absent", 100)
    with pytest.raises(FetchError, match="directory") as caught:
        Fetcher().read(tmp_path, 100)
    assert not isinstance(caught.value, MissingError)


def test_a_torn_connection_is_no_file(server: Server) -> None:
    server.torn.add("/file")
    with pytest.raises(FetchError, match="broke after 5,120 of 10,240 bytes"):
        Fetcher().read(f"{server.address}/file", 1 << 20)


def test_nobody_listening(server: Server) -> None:
    with socket.socket() as quiet:
        quiet.bind(("127.0.0.1", 0))
        with pytest.raises(FetchError, match="Connection refused"):
            Fetcher().read(f"http://127.0.0.1:{quiet.getsockname()[1]}/file", 100)


def test_silence_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(FetchError, match="no answer in time"):
            Fetcher(patience=0.1).read(f"http://127.0.0.1:{silent.getsockname()[1]}/file", 100)
        assert time.monotonic() - began < 30


def test_a_trickle_is_not_waited_for_for_ever(server: Server) -> None:
    clock = iter(range(0, 10_000, 1000))
    with pytest.raises(FetchError, match="not finished after 900 seconds"):
        Fetcher(now=lambda: next(clock)).read(f"{server.address}/file", 1 << 20)


def test_redirects_are_followed_some_way(server: Server) -> None:
    server.redirects.update({"/a": "/b", "/b": f"{server.address}/file"})
    assert Fetcher().read(f"{server.address}/a", 1 << 20) == WHOLE


def test_redirects_in_circles_end(server: Server) -> None:
    server.redirects.update({"/a": "/b", "/b": "/a"})
    with pytest.raises(FetchError, match="redirect"):
        Fetcher().read(f"{server.address}/a", 100)
    server.redirects.update({f"/{number}": f"/{number + 1}" for number in range(100)})
    server.asked.clear()
    with pytest.raises(FetchError, match="redirect"):
        Fetcher().read(f"{server.address}/0", 100)
    assert len(server.asked) < 10


@pytest.mark.parametrize("target", ["http://192.0.2.1/file", "file:///etc/passwd", "ftp://192.0.2.1/file"])
def test_redirects_lead_nowhere_forbidden(server: Server, target: str) -> None:
    server.redirects["/a"] = target
    with pytest.raises(FetchError, match=r"only https is fetched|not allowed"):
        Fetcher().read(f"{server.address}/a", 100)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/x", "http://192.0.2.1/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://",
        "http://localhost.example.com/x", "http://[::1", "gopher://x", "http://127.0.0.1.example/x",
    ],
)  # fmt: skip
def test_only_https_and_loopback_are_fetched(address: str) -> None:
    with pytest.raises(FetchError):
        Fetcher().read(address, 100)


def test_who_asks_says_its_name_and_version_and_nothing_else(server: Server) -> None:
    Fetcher().read(f"{server.address}/file", 1 << 20)
    said = {name.lower() for name in server.headers[0]}
    assert said == {"host", "user-agent", "accept-encoding", "connection"}
    assert server.headers[0]["User-Agent"] == f"homeport/{__version__}"
    assert server.headers[0]["Accept-Encoding"] == "identity"
