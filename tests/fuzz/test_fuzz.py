"""Every fuzz target on seeds and simple mutations of them, without atheris, so that none rots."""

from __future__ import annotations

import random
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.fuzz.seeds import MOST, seeds
from tests.fuzz.targets import TARGETS
from tests.support.importing import ROOT


@pytest.mark.parametrize("name", TARGETS)
def test_target_takes_seeds_and_mutations(name: str) -> None:
    rng = random.Random(name)
    found = seeds(name)
    assert 1 <= len(found) <= MOST
    rounds = 1 if name == "import" else 8
    for seed in found[:3] if name == "import" else found:
        TARGETS[name](seed)
        for _ in range(rounds):
            mutant = bytearray(seed[: rng.randrange(1, len(seed) + 1)])
            for _ in range(rng.randrange(4)):
                mutant[rng.randrange(len(mutant))] = rng.randrange(256)
            TARGETS[name](bytes(mutant))
    for nothing in (b"", b"\0", bytes(100), b"\xff" * 100):
        TARGETS[name](nothing)


def test_seeds_are_real_messages() -> None:
    starts = {"tls": b"\x16\x03", "http": b"GET ", "dhcp": b"\x01\x01\x06"}
    for name, start in starts.items():
        assert any(seed.startswith(start) for seed in seeds(name)), name


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_unknown_target_is_wrong_use() -> None:
    ran = fuzz("gopher")
    assert ran.returncode == 2
    assert "no target 'gopher'" in ran.stderr


def test_targets_are_listed() -> None:
    assert fuzz("--list").stdout.split() == list(TARGETS)


@pytest.mark.skipif(find_spec("atheris") is not None, reason="atheris is installed here")
def test_without_atheris_one_line_says_so() -> None:
    ran = fuzz("dns", "--seconds", "1")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.splitlines()) == 1
    assert "atheris is not installed" in ran.stderr
