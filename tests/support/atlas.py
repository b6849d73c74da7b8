"""Small databases of addresses, made in milliseconds, and a web server that misbehaves in chosen ways."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

from appliance.data.mmdb import Record, layered, prefix_range, write_mmdb
from daemon.classify.place import Atlas
from daemon.store.atlas_files import open_atlas

BUILT = 1_781_654_400  # 2026-06-17


def mmdb(records: Mapping[str, Record], database_type: str = "country ipvAll", built: int = BUILT) -> bytes:
    """A MaxMind DB file: prefix -> record; the longest prefix answers."""
    ranges = [prefix_range(ip_network(prefix), record) for prefix, record in records.items()]
    ranges.sort(key=lambda found: (found.first, -found.last))
    return write_mmdb(layered(ranges), database_type, "made by a test", built)


def countries(**prefixes: str) -> bytes:
    """Country -> prefixes with blanks between, in the flat schema."""
    return mmdb({prefix: {"country_code": code} for code, text in prefixes.items() for prefix in text.split()})


def maxmind_country(prefixes: Mapping[str, str], database_type: str = "GeoLite2-Country") -> bytes:
    """Prefix -> country, in MaxMind's own schema."""
    return mmdb(
        {prefix: {"country": {"iso_code": code, "names": {"en": code}}} for prefix, code in prefixes.items()},
        database_type,
    )


def atlas_of(folder: Path, **files: bytes) -> Atlas:
    """The atlas of a folder with these files; `_` in a name stands for `-`."""
    for name, octets in files.items():
        (folder / f"{name.replace('_', '-')}.mmdb").write_bytes(octets)
    return open_atlas(folder)


@dataclass
class Server:
    """What a web server has, and what it was asked for."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    torn: set[str] = field(default_factory=set)  # announced whole, sent by half
    asked: list[str] = field(default_factory=list)
    headers: list[Message] = field(default_factory=list)  # of each question


@contextmanager
def serving(files: Mapping[str, bytes] | None = None) -> Iterator[Server]:
    """A web server on loopback, with files by path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            server.headers.append(self.headers)
            if self.path in server.redirects:
                self.send_response(302)
                self.send_header("Location", server.redirects[self.path])
                self.end_headers()
            elif self.path not in server.files:
                self.send_error(404)
            else:
                octets = server.files[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets[: len(octets) // 2] if self.path in server.torn else octets)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        server = Server(f"http://127.0.0.1:{web.server_address[1]}", dict(files or {}))
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            web.shutdown()
            thread.join()
