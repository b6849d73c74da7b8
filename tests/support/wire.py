"""Two machines and a cable: network namespaces, for tests that need packets and no home."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.lab import Namespace, addresses, cable, wait_until
from tests.support.recording import records_in

SENDER, RECEIVER = "198.51.100.1", "198.51.100.2"
PORT = 9
_MARK = b"homeport"


class Wire:
    """`sender` and `receiver`, joined by `hp0` and `hp1`; the receiver records."""

    def __init__(self, folder: Path) -> None:
        self.sender = Namespace(f"hp-{os.getpid()}-tx", folder)
        self.receiver = Namespace(f"hp-{os.getpid()}-rx", folder)
        self._number = 0

    @contextlib.contextmanager
    def up(self) -> Iterator[Wire]:
        """The namespaces, for the time of the block."""
        try:
            for end in (self.sender, self.receiver):
                end.create()
                end.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
            self.join()
            yield self
        finally:
            for end in (self.sender, self.receiver):
                end.end()

    def join(self) -> None:
        """Lay the cable; the receiver answers nothing, so that all packets on it are the sender's."""
        cable(self.sender, "hp0", self.receiver, "hp1")
        addresses(self.sender, "hp0", f"{SENDER}/24")
        self.sender.run("ip", "neigh", "replace", RECEIVER, "lladdr", "02:48:50:00:00:02", "dev", "hp0")

    def send(self, number: int, size: int = 200) -> list[int]:
        """So many packets, each with a number of its own; the numbers."""
        with self._socket() as out:
            return [self._one(out, size) for _ in range(number)]

    @contextlib.contextmanager
    def sending(self, each_second: int = 2000, size: int = 200) -> Iterator[None]:
        """Packets all the time."""
        over = threading.Event()
        out = self._socket()

        def run() -> None:
            while not over.is_set():
                for _ in range(max(1, each_second // 100)):
                    self._one(out, size)
                time.sleep(0.01)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            out.close()

    @property
    def sent(self) -> int:
        """Packets sent so far; they are numbered from 0."""
        return self._number

    def _socket(self) -> socket.socket:
        with self.sender.entered():
            return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _one(self, out: socket.socket, size: int) -> int:
        number = self._number
        with contextlib.suppress(OSError):  # the cable is cut in some tests; what was not sent cannot be found
            out.sendto((_MARK + struct.pack(">Q", number)).ljust(size - 42, b"\0"), (RECEIVER, PORT))
        self._number += 1
        return number

    def record(self, *command: str, folder: Path, seconds: float = 20.0) -> Recording:
        """Start a recorder in the receiver, and wait until its file is there and it listens."""
        before = set(folder.glob("*.pcap"))
        process = self.receiver.start(*command)

        def ready() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"it ended: {self.receiver.output(process)}")
            return bool(set(folder.glob("*.pcap")) - before)

        wait_until(ready, "a capture file", seconds)
        return Recording(self, process)


class Recording:
    """A recorder that runs."""

    def __init__(self, wire: Wire, process: subprocess.Popen[bytes]) -> None:
        self._wire = wire
        self._process = process

    def end(self, number: int, seconds: float = 20.0) -> float:
        """Send a signal and wait for the end; how long that took."""
        began = time.monotonic()
        self._process.send_signal(number)
        self._process.wait(seconds)
        return time.monotonic() - began

    def said(self) -> str:
        """What it printed."""
        return self._wire.receiver.output(self._process)


def numbers_in(path: Path) -> list[int]:
    """The numbers of the packets in a file, in its order; what else is in it is passed over."""
    found = []
    for _, _, packet in records_in(path):
        at = packet.find(_MARK)
        if at >= 0:
            found.append(struct.unpack_from(">Q", packet, at + len(_MARK))[0])
    return found
