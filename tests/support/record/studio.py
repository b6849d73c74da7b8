"""What a recipe works with: a lab, tape, and a list of what it knows must be found.

Rule 1: an expectation states what the recipe DID (which name it asked, what it gave curl as host, which port it bound),
        never what a decoder of ours made of the bytes. Counts of packets, which only the wire can tell, are tshark's.
Rule 2: no path, host name or user of the recording machine goes into a file.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.lab import Lab, LabError, Namespace, wait_until

Row = list[Any]


@dataclass(slots=True)
class Expectation:
    """Rows of a public view.

    match: `all` (exactly these, of those that `where` selects), `some` (at least these), `none`.
    source: `recipe`, or `recipe, counted by tshark` where rows hold counts of packets.
    """

    view: str
    columns: list[str]
    rows: list[Row]
    match: str = "all"
    where: dict[str, Any] = field(default_factory=dict)
    source: str = "recipe"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A flow the recipe made; its packets and bytes are counted by tshark.

    Connections of one 5-tuple stand in order of time.
    """

    protocol: str
    client: str
    client_port: int
    server: str
    server_port: int
    ip_version: int = 4
    service: str | None = None
    end: str | None = None
    tunnel: str | None = None
    server_name: str | None = None


@dataclass(slots=True)
class Take:
    """One recording in progress."""

    lab: Lab
    path: Path
    expectations: list[Expectation] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    repeated: dict[str, list[str]] = field(
        default_factory=dict
    )  # names of hellos that the wire holds once more, by source
    missed: dict[str, list[str]] = field(
        default_factory=dict
    )  # names that tshark cannot read though the server could, by source
    tshark_options: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def rolling(
        self,
        namespace: Namespace | None = None,
        interface: str = "wlan0",
        *,
        only: str = "",
        options: Sequence[str] = (),
    ) -> Iterator[None]:
        """tcpdump runs within the block, on the access point's LAN side unless told otherwise.

        `only` is a capture filter.
        """
        where, settle = namespace or self.lab.ap, 0.3
        command = [
            "tcpdump",
            "-i",
            interface,
            "-U",
            "--immediate-mode",
            "-s",
            "0",
            "-n",
            "-Z",
            "root",
            *options,
            "-w",
            str(self.path),
        ]
        tape = where.start(*command, *([only] if only else []))
        wait_until(lambda: "listening on" in where.output(tape), "tcpdump")
        yield
        time.sleep(settle)  # the last acknowledgements
        tape.send_signal(signal.SIGINT)
        tape.wait(10)
        if "0 packets dropped by kernel" not in where.output(tape):
            raise LabError(f"tcpdump: {where.output(tape)[-300:]}")

    def expect(
        self,
        view: str,
        columns: str,
        rows: Sequence[Sequence[Any]],
        *,
        match: str = "all",
        where: dict[str, Any] | None = None,
        why: str = "",
    ) -> None:
        """Add rows that must be in a public view; `columns` are blank-separated."""
        listed = [list(row) for row in rows]
        self.expectations.append(Expectation(view, columns.split(), listed, match, where or {}, why=why))

    def flow(
        self,
        protocol: str,
        client: str,
        client_port: int,
        server: str,
        server_port: int,
        *,
        ip_version: int = 4,
        service: str | None = None,
        end: str | None = None,
        tunnel: str | None = None,
        server_name: str | None = None,
    ) -> None:
        """Add a conversation that the recipe made."""
        ends = (protocol, client, client_port, server, server_port)
        self.conversations.append(Conversation(*ends, ip_version, service, end, tunnel, server_name))


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one capture comes to be. `tools`: programs that it needs, beside those of the lab."""

    name: str
    what: str
    run: Callable[[Take], None]
    tools: tuple[str, ...] = ()
    configure_clients: bool = True
    suffix: str = ".pcap"
    variants: tuple[str, ...] = ()  # further files with the same packets: keys of `formats.VARIANTS`


def curl(namespace: Namespace, address: str, url: str, *options: str) -> int:
    """Fetch `url` from `address` with curl, discarding the body; the local port that was used. LabError if it fails."""
    name, _, port = url.partition("://")[2].partition("/")[0].partition(":")
    port = port or ("443" if url.startswith("https") else "80")
    told = namespace.run(
        "curl",
        "-sS",
        "-k",
        "-o",
        "/dev/null",
        "-w",
        "%{local_port}\n",
        "-m",
        "10",
        *options,
        "--resolve",
        f"{name}:{port}:{'[' + address + ']' if ':' in address else address}",
        url,
    )
    return int(told.split()[-1])


def certificate(folder: Path, *names: str) -> tuple[str, str]:
    """A fresh self-signed certificate for `names`: paths of certificate and key (EC, so that captures stay small)."""
    cert, key = folder / f"{names[0]}.crt", folder / f"{names[0]}.key"
    if not cert.exists():
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "36500",
                "-subj",
                f"/O=Vendor/CN={names[0]}",
                "-addext",
                "subjectAltName=" + ",".join(f"DNS:{n}" for n in names),
                "-keyout",
                str(key),
                "-out",
                str(cert),
            ],
            check=True,
            capture_output=True,
        )
    return str(cert), str(key)


def s_server(namespace: Namespace, port: int, pair: tuple[str, str], *options: str) -> subprocess.Popen[bytes]:
    """OpenSSL's own server, answering GET with a few bytes (its status page would make up most of a capture)."""
    folder = Path(pair[0]).parent
    (folder / "tiny").write_text("ok\n")
    return namespace.serve(
        port,
        "env",
        "-C",
        str(folder),
        "openssl",
        "s_server",
        "-accept",
        str(port),
        "-cert",
        pair[0],
        "-key",
        pair[1],
        "-WWW",
        *options,
    )


def scratch_python(*packages: str) -> str:
    """A Python with packages that only recording needs, made once under /tmp, outside the project's environment."""
    home = Path("/tmp/homeport-record-venv")  # noqa: S108 - a cache of public packages, and only root records
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True, capture_output=True)
    return str(python)
