"""What systemd hears of the dashboard: ready, alive as long as it answers, on its way out."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from appliance.heart import answers, beating

WAIT_S = 20.0  # for what comes within a second on a quiet machine


@contextmanager
def dashboard(status: int) -> Iterator[int]:
    """Something that answers every question with this status; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """systemd's end of the notification socket, of a unit with a watchdog."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(WAIT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "150000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        yield listening


def test_it_says_ready_alive_and_stopping(manager: socket.socket) -> None:
    with dashboard(200) as port, beating("0.0.0.0", port):  # noqa: S104  what a dashboard for the LAN is told to listen at
        assert manager.recv(4096).startswith(b"READY=1")
        assert manager.recv(4096) == b"WATCHDOG=1"
    said = b""
    while not said.startswith(b"STOPPING=1"):  # a beat may have been under way
        said = manager.recv(4096)


def test_without_an_answer_the_watchdog_starves(manager: socket.socket) -> None:
    with dashboard(500) as port:
        assert not answers("127.0.0.1", port)
        with beating("127.0.0.1", port):
            assert manager.recv(4096).startswith(b"READY=1")
            manager.settimeout(0.5)
            with pytest.raises(TimeoutError):
                manager.recv(4096)


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert not answers("127.0.0.1", free.getsockname()[1])
