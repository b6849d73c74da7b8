"""Coverage-guided fuzzing with atheris, which comes with the extra `fuzz`.

usage: python -m tests.fuzz [TARGET...] [--seconds N] [--list]

Each target runs in a process of its own for N seconds (default 60). What breaks it is kept in `build/fuzz-findings`
and named. Exit codes: 0 nothing found, 1 something found, 2 wrong use or no atheris.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

FINDINGS = Path("build", "fuzz-findings")
_ALONE = "--in-this-process"


def main() -> int:
    """See the module's docstring."""
    ask = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers and file readers.")
    ask.add_argument("targets", nargs="*", metavar="TARGET")
    ask.add_argument("--seconds", type=int, default=60)
    ask.add_argument("--list", action="store_true", help="name the targets and stop")
    ask.add_argument(_ALONE, action="store_true", help=argparse.SUPPRESS)
    wanted = ask.parse_args()
    if wanted.in_this_process:
        fuzz(wanted.targets[0], wanted.seconds)
    known = list(import_module("tests.fuzz.targets").TARGETS)
    if unknown := [name for name in wanted.targets if name not in known]:
        ask.error(f"no target {unknown[0]!r}; there are {', '.join(known)}")
    if wanted.list:
        say("\n".join(known))
        return 0
    if find_spec("atheris") is None:
        sys.stderr.write("atheris is not installed here: pip install -e '.[fuzz]' (it has wheels for x86-64 only)\n")
        return 2
    found = [name for name in wanted.targets or known if not clean(name, wanted.seconds)]
    say(f"fuzzed {len(wanted.targets or known)} targets; broken: {', '.join(found) or 'none'}")
    return 1 if found else 0


def say(text: str) -> None:
    """A line at once, for whoever waits."""
    print(text, flush=True)  # noqa: T201  this is a program of the command line


def clean(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own; whether nothing was found."""
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), _ALONE]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    tail = (ran.stderr + ran.stdout).strip().splitlines()
    if ran.returncode:
        say(f"{name}: broken\n  " + "\n  ".join(tail[-40:]))
    else:
        done = next((line for line in reversed(tail) if "Done" in line), "done")
        say(f"{name}: {done}")
    return not ran.returncode


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target here. Ends the process."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["daemon"]):
        target = import_module("tests.fuzz.targets").TARGETS[name]
    FINDINGS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(import_module("tests.fuzz.seeds").seeds(name)):
            (Path(corpus) / f"{number:03}").write_bytes(seed)
        limits = [
            f"-max_total_time={seconds}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            f"-artifact_prefix={FINDINGS}/{name}-",
        ]
        atheris.Setup([sys.argv[0], *limits, corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
