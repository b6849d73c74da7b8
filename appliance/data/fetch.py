"""Reads one file from the network or from a folder, within bounds.

Rule 1: https only; plain http for loopback addresses, where a test or a mirror on the same machine listens. A redirect is
        held to the same, and never leads from https to http.
Rule 2: never more bytes than the caller allows, never longer than the deadline, at most five redirects. A server that
        sends a byte now and then, in its headers or behind them, is never silent: the deadline ends it nevertheless.
Rule 3: whatever goes wrong is one sentence that names the place.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import HTTPMessage
from ipaddress import ip_address
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from appliance import __version__
from appliance.console import printable

MOST_REDIRECTS = 5
_PIECE = 1 << 16


class FetchError(Exception):
    """It could not be had; the message is the sentence that says why."""


class MissingError(FetchError):
    """There is no such file at the place, which itself answers."""


class Fetcher:
    """Fetches by https or from disk. `patience` is the longest silence, `deadline` the longest time in all, in seconds."""

    def __init__(self, patience: float = 30, deadline: float = 900, now: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._deadline = deadline
        self._now = now

    def read(self, place: str | Path, most: int) -> bytes:
        """The file's bytes. Raises FetchError."""
        return self._read_file(place, most) if isinstance(place, Path) else self._read_address(place, most)

    def _read_file(self, path: Path, most: int) -> bytes:
        try:
            with path.open("rb") as file:
                octets = file.read(most + 1)
        except FileNotFoundError as error:
            raise MissingError(f"{printable(path)}: no such file") from error
        except OSError as error:
            raise FetchError(f"{printable(path)}: {error.strerror or error}") from error
        return _bounded(octets, most, path)

    def _read_address(self, address: str, most: int) -> bytes:
        _check(address)
        request = urllib.request.Request(address, headers={"User-Agent": f"homeport/{__version__}"})  # noqa: S310 - checked above
        end = self._now() + self._deadline
        watch = _Watch()
        opener = urllib.request.build_opener(_Redirects(), _Http(watch), _Https(watch))
        alarm = threading.Timer(self._deadline, watch.expire)
        alarm.daemon = True
        alarm.start()
        try:
            with opener.open(request, timeout=self._patience) as answer:
                return self._read_answer(answer, address, most, end, watch)
        except urllib.error.HTTPError as error:
            with error:
                raised = MissingError if error.code in (404, 410) else FetchError
                raise raised(
                    f"{printable(address)}: the server answers {error.code} {printable(error.reason)}"
                ) from error
        except urllib.error.URLError as error:
            raise FetchError(f"{printable(address)}: {self._reason(error.reason, watch)}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchError(f"{printable(address)}: {self._reason(error, watch)}") from error
        finally:
            alarm.cancel()

    def _reason(self, error: object, watch: _Watch) -> str:
        return self._too_long() if watch.expired else _reason(error)

    def _too_long(self) -> str:
        return f"not finished after {self._deadline:g} seconds"

    def _read_answer(
        self, answer: http.client.HTTPResponse, address: str, most: int, end: float, watch: _Watch
    ) -> bytes:
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > most:
            raise FetchError(f"{printable(address)}: {int(announced):,} bytes, more than the {most:,} that it may have")
        pieces, total = [], 0
        while piece := answer.read1(_PIECE):  # `read` would wait until the piece is full
            pieces.append(piece)
            total += len(piece)
            if total > most:
                break
            if self._now() > end:
                raise FetchError(f"{printable(address)}: {self._too_long()}")
        if watch.expired:
            raise FetchError(f"{printable(address)}: {self._too_long()}")
        if total <= most and announced.isdecimal() and total != int(announced):
            raise FetchError(f"{printable(address)}: the connection broke after {total:,} of {int(announced):,} bytes")
        return _bounded(b"".join(pieces), most, address)


class _Watch:
    """The connections of one fetch, which are cut when it lasts too long."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.expired = False

    def add(self, connection: socket.socket) -> None:
        """One more; one that comes too late is cut at once."""
        with self._turn:
            self._sockets.append(connection)
            if self.expired:
                _cut(connection)

    def expire(self) -> None:
        """Cut them: whoever reads from one is told that it is over."""
        with self._turn:
            self.expired = True
            for connection in self._sockets:
                _cut(connection)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed by now
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not that of TLS, which is not for two threads


class _Watched(http.client.HTTPConnection):
    def __init__(self, host: str, *, timeout: float, watch: _Watch) -> None:
        super().__init__(host, timeout=timeout)
        self._watch = watch

    def connect(self) -> None:
        super().connect()
        self._watch.add(self.sock)


class _WatchedTls(_Watched, http.client.HTTPSConnection):
    """The same with TLS: what comes first here calls what comes behind it."""


class _Http(urllib.request.HTTPHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Watched, watch=self._watch), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_WatchedTls, watch=self._watch), req)


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = MOST_REDIRECTS
    max_repeats = 2

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        _check(newurl)
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise FetchError(f"{printable(req.full_url)}: leads from https to {printable(newurl)}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_address(text: str) -> bool:
    """Whether the text is meant as a network address and not as a path."""
    return "://" in text


def _check(address: str) -> None:
    """Refuse what is neither https nor http on loopback."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise FetchError(f"{printable(address)}: not an address ({error})") from error
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and _is_loopback(host):
        return
    raise FetchError(f"{printable(address)}: only https is fetched (http on this machine alone)")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bounded(octets: bytes, most: int, place: str | Path) -> bytes:
    if len(octets) > most:
        raise FetchError(f"{printable(place)}: more than the {most:,} bytes that it may have")
    return octets


def _reason(error: object) -> str:
    """Why a connection failed, in the system's words where it has any."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(words)
