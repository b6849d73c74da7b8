"""Looking on from another computer: `ssh box homeport live | ...` through a real sshd, which listens on loopback only."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.captures import pcap, pcap_record
from tests.support.importing import COMMAND, ROOT
from tests.support.packets import ethernet, ipv4, udp

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
_MISSING = [name for name in ("ssh", "ssh-keygen", "tshark") if not shutil.which(name)] + ([] if SSHD else ["sshd"])

pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"not here: {', '.join(_MISSING)}")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[list[str]]:
    """The beginning of a command line that runs the rest behind ssh."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": tmp_path / "host", "PidFile": "none", "StrictModes": "no",
        "AuthorizedKeysFile": tmp_path / "user.pub", "PasswordAuthentication": "no", "PermitRootLogin": "prohibit-password",
        "UsePAM": "no",
    }  # fmt: skip
    (tmp_path / "sshd.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd wants to have its empty room
    server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", tmp_path / "sshd.conf"], stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(port, server)
        yield [
            "ssh", "-F", "none", "-i", str(tmp_path / "user"), "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o",
            f"UserKnownHostsFile={tmp_path / 'known'}", "-o", "BatchMode=yes", f"{getpass.getuser()}@127.0.0.1",
        ]  # fmt: skip
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _wait_for(port: int, server: subprocess.Popen[str]) -> None:
    for _ in range(100):
        if server.poll() is not None:
            pytest.skip(f"sshd does not start here: {server.stderr.read() if server.stderr else ''}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.skip("sshd does not listen")


def test_wireshark_s_engine_reads_along_through_ssh(tmp_path: Path, box: list[str]) -> None:
    folder = tmp_path / "pcaps"
    folder.mkdir()
    path = folder / "2025-07-01_00.00.00_wlan0.pcap"
    frame = ethernet(ipv4(udp(b"now", 5000, 9999)))
    path.write_bytes(pcap([frame] * 3))
    homeport = f"cd {shlex.quote(str(ROOT))} && HOMEPORT_CONFIG=/dev/null {shlex.join(COMMAND)}"
    remote = f"{homeport} live --dir {shlex.quote(str(folder))} --filter 'udp port 9999' -w -"
    with (
        subprocess.Popen([*box, remote], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as sender,
        subprocess.Popen(
            ["tshark", "-l", "-r", "-", "-c", "5", "-T", "fields", "-e", "udp.dstport"], stdin=sender.stdout,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as reader,
    ):  # fmt: skip
        try:
            assert sender.stdout is not None
            sender.stdout.close()
            # Until ssh ends and not only tshark: it finds out that nobody reads any more when there is something to write.
            until = time.monotonic() + 60
            while sender.poll() is None and time.monotonic() < until:
                with path.open("ab") as file:
                    file.write(pcap_record(frame))
                time.sleep(0.02)
            said, _ = reader.communicate(timeout=30)
            _, errors = sender.communicate(timeout=30)
        finally:
            sender.kill()
            reader.kill()
    assert said.split() == ["9999"] * 5, errors
    assert b"Traceback" not in errors
