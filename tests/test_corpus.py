"""Real captures that nobody here wrote, with independent truth: scored by their own `check.py`, used where they lie."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.compare import imbalance
from tests.support.importing import NO_SETTINGS, ROOT, homeport

CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", ROOT.parent / "shared" / "corpus"))
WANTED = {  # recall / precision
    "tls": "0.99/0.99",
    "dns_query": "0.99/0.99",
    "dns_answer": "0.99/0.99",
    "direction": "0.99/0.99",
    "quic": "0.97/0.97",
    "dhcp_hostname": "0.97/0.97",
    "http": "0.98/0.98",
    "flow": "0.999/0.999",
    "total": "0.999/0.999",
    "invariant": "1/1",
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(
        not (CORPUS / "check.py").is_file(), reason=f"no corpus at {CORPUS} (HOMEPORT_CORPUS names another)"
    ),
]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A `homeport` that does not load its modules anew for every capture."""
    path = tmp_path_factory.mktemp("quick") / "socket"
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.quick", "serve", str(path)],
        cwd=ROOT,
        env={**os.environ, **NO_SETTINGS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    assert server.stdout.readline() == "ready\n"
    yield shlex.join([sys.executable, "-S", "-E", str(ROOT / "tests" / "support" / "quick.py"), str(path)])
    server.stdin.close()
    server.wait()
    server.stdout.close()


@pytest.fixture(scope="module")
def report(command: str) -> str:
    """What check.py says of an import of every capture, each into a database of its own."""
    required = [word for kind, bounds in WANTED.items() for word in ("--require", f"{kind}={bounds}")]
    ran = subprocess.run(
        [sys.executable, str(CORPUS / "check.py"), str(CORPUS), "--homeport", command, *required],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.stdout


def test_no_capture_fails(report: str) -> None:
    assert re.search(r"^(\d+) captures, 0 failed$", report, re.MULTILINE), report


@pytest.mark.parametrize("kind", WANTED)
def test_recall_and_precision(report: str, kind: str) -> None:
    summary = report.strip().splitlines()[-1]
    assert re.search(rf"\b{kind}=[\d.]+/[\d.]+", summary), report
    short = [each for each in summary.partition(" SHORT: ")[2].split("; ") if each.startswith(f"{kind} ")]
    assert not short, report


def test_all_captures_in_one_database_count_every_packet(tmp_path: Path) -> None:
    assert homeport("import", CORPUS / "pcaps", "--db", tmp_path / "h.db", "--jobs", "1") in (0, 1)
    assert imbalance(tmp_path / "h.db") == []
