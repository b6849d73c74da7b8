"""A home in network namespaces: two devices, the access point, and the rest of the world.

    client ─┐
            ├─ (bridge wlan0) access point (eth0) ── upstream
    other ──┘

Rule 1: nothing outside the namespaces is touched but `/etc/netns/NAME`, from which `ip netns exec` takes resolv.conf.
Rule 2: names hold the process id, so that two labs can live at once; whatever happens, leaving the lab ends every
        process it started and removes every namespace and file it made.
Rule 3: offloads are off, so that recorded frames look like those of a radio: at most 1,514 bytes, with true checksums.

Addresses come from the documentation ranges (RFC 5737, RFC 3849). The access point routes without NAT: recordings are
made on its LAN side, where that makes no difference.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

AP_V4, AP_V6 = "192.168.50.1", "2001:db8:50::1"
CLIENT_V4, CLIENT_V6, CLIENT_MAC = "192.168.50.20", "2001:db8:50::20", "00:0e:58:50:00:20"
OTHER_V4, OTHER_V6, OTHER_MAC = "192.168.50.30", "2001:db8:50::30", "00:17:88:50:00:30"
AP_MAC, UPSTREAM_GATEWAY_V4, UPSTREAM_GATEWAY_V6 = "02:48:50:00:00:01", "203.0.113.1", "2001:db8:113::1"
UPSTREAM_V4 = ("203.0.113.10", "203.0.113.20", "203.0.113.30")
UPSTREAM_V6 = ("2001:db8:113::10", "2001:db8:113::20", "2001:db8:113::30")
NEEDED = ("ip", "ethtool", "sysctl", "tcpdump")

_CLONE_NEWNET = 0x40000000  # setns(2); os.setns arrives with Python 3.12
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(RuntimeError):
    """A program of the lab failed, or did not become ready."""


def missing(programs: Sequence[str] = NEEDED) -> list[str]:
    """What keeps a lab from being built here: programs not installed, or `root`."""
    absent = [program for program in programs if shutil.which(program) is None]
    return absent if os.geteuid() == 0 else ["root", *absent]


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Poll until `ready()`; LabError names `what` did not come within `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Namespace:
    """One machine of the lab."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._processes: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
        self._etc = Path("/etc/netns") / name

    def create(self) -> None:
        self._etc.mkdir(parents=True)
        (self._etc / "resolv.conf").write_text(f"nameserver {AP_V4}\n")
        _command("ip", "netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")
        # DAD would keep static addresses unusable for a second; recipes that want it turn it on again.
        self.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0")

    def run(self, *args: str, timeout: float = 30, check: bool = True, text: str | None = None) -> str:
        """Run a program to its end inside the namespace; its standard output. LabError if it fails and `check`."""
        return _command("ip", "netns", "exec", self.name, *args, timeout=timeout, check=check, text=text)

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start a program that the lab ends with itself; what it prints goes to a file that `output` reads."""
        log = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 - closed in `end`
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *args], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        self._processes.append((process, log))
        return process

    def output(self, process: subprocess.Popen[bytes]) -> str:
        """What a started program has printed so far."""
        for known, log in self._processes:
            if known is process:
                size = os.fstat(log.fileno()).st_size
                return os.pread(log.fileno(), size, 0).decode("utf-8", "replace")
        raise LabError("not a process of this namespace")

    def stop(self, process: subprocess.Popen[bytes], seconds: float = 5.0) -> None:
        """End one started program and wait for it."""
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(seconds)

    def end(self) -> None:
        for process, log in reversed(self._processes):
            self.stop(process)
            log.close()
        self._processes.clear()
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        shutil.rmtree(self._etc, ignore_errors=True)
        with contextlib.suppress(OSError):  # another lab may still need the parent folder
            self._etc.parent.rmdir()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Within the block, this thread's new sockets belong to the namespace (and stay there)."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _setns(there)
            try:
                yield
            finally:
                _setns(home)
        finally:
            os.close(there)
            os.close(home)

    def listening(self, port: int, kind: int = socket.SOCK_STREAM) -> bool:
        """Whether something holds `port` (asked of the kernel's table, so that no probe lands in a capture)."""
        table = ("tcp", "tcp6") if kind == socket.SOCK_STREAM else ("udp", "udp6")
        with self.entered():
            lines = [
                line for name in table for line in Path(f"/proc/thread-self/net/{name}").read_text().splitlines()[1:]
            ]
        state = "0A" if kind == socket.SOCK_STREAM else "07"
        return any(int(line.split()[1].rpartition(":")[2], 16) == port and line.split()[3] == state for line in lines)

    def serve(self, port: int, *args: str, kind: int = socket.SOCK_STREAM) -> subprocess.Popen[bytes]:
        """`start`, and wait until the program listens on `port`."""
        process = self.start(*args)

        def ready() -> bool:
            if process.poll() is not None:
                raise LabError(f"{args[0]} ended: {self.output(process)[-500:]}")
            return self.listening(port, kind=kind)

        wait_until(ready, f"{args[0]} on port {port}")
        return process


class Lab:
    """The four namespaces, as a context manager. `folder` is a scratch directory that goes with the lab."""

    def __init__(self, *, configure_clients: bool = True) -> None:
        self._configure_clients = configure_clients
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if absent := missing():
            raise LabError(f"a lab needs {', '.join(absent)}")
        try:
            self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hp-lab-")))
            self.client, self.other, self.ap, self.upstream = (
                self._namespace(role) for role in ("client", "other", "ap", "up")
            )
            self._wire()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _namespace(self, role: str) -> Namespace:
        namespace = Namespace(f"hp-{os.getpid()}-{role}", self.folder)
        self._stack.callback(namespace.end)
        namespace.create()
        return namespace

    def _wire(self) -> None:
        ap = self.ap
        ap.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        ap.run(
            "ip", "link", "add", "wlan0", "address", AP_MAC, "type", "bridge", "mcast_snooping", "0", "stp_state", "0"
        )
        for namespace, mac, port in ((self.client, CLIENT_MAC, "port1"), (self.other, OTHER_MAC, "port2")):
            cable(namespace, "eth0", ap, port, mac)
            ap.run("ip", "link", "set", port, "master", "wlan0")
            ap.run("sysctl", "-qw", f"net.ipv6.conf.{port}.disable_ipv6=1")
        cable(self.upstream, "eth0", ap, "eth0", "02:48:50:00:00:99")
        plain_frames(ap, "wlan0")
        addresses(ap, "wlan0", f"{AP_V4}/24", f"{AP_V6}/64")
        addresses(ap, "eth0", f"{UPSTREAM_GATEWAY_V4}/24", f"{UPSTREAM_GATEWAY_V6}/64")
        addresses(self.upstream, "eth0", *(f"{a}/24" for a in UPSTREAM_V4), *(f"{a}/64" for a in UPSTREAM_V6))
        routes(self.upstream, UPSTREAM_GATEWAY_V4, UPSTREAM_GATEWAY_V6)
        if self._configure_clients:
            for namespace, v4, v6 in ((self.client, CLIENT_V4, CLIENT_V6), (self.other, OTHER_V4, OTHER_V6)):
                namespace.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=0")
                addresses(namespace, "eth0", f"{v4}/24", f"{v6}/64")
                routes(namespace, AP_V4, AP_V6)


def cable(left: Namespace, left_name: str, right: Namespace, right_name: str, left_mac: str = "") -> None:
    """A veth pair between two namespaces, up, without offloads."""
    mac = ["address", left_mac] if left_mac else []
    left.run("ip", "link", "add", left_name, *mac, "type", "veth", "peer", "name", right_name, "netns", right.name)
    for namespace, name in ((left, left_name), (right, right_name)):
        plain_frames(namespace, name)


def plain_frames(namespace: Namespace, device: str) -> None:
    """Offloads off and the link up."""
    namespace.run("ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
    namespace.run("ip", "link", "set", device, "up")


def addresses(namespace: Namespace, device: str, *prefixes: str) -> None:
    """Give a device its addresses, usable at once."""
    for prefix in prefixes:
        nodad = ["nodad"] if ":" in prefix else []
        namespace.run("ip", "address", "add", prefix, "dev", device, *nodad)


def routes(namespace: Namespace, v4: str, v6: str) -> None:
    """Default routes of both families."""
    namespace.run("ip", "route", "add", "default", "via", v4)
    namespace.run("ip", "-6", "route", "add", "default", "via", v6)


def _command(*args: str, timeout: float = 30, check: bool = True, text: str | None = None) -> str:
    done = subprocess.run(
        args, input=text, capture_output=True, text=True, timeout=timeout, check=False, errors="replace"
    )
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(args)}: exit {done.returncode}: {(done.stderr or done.stdout)[-800:]}")
    return done.stdout


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
