from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from appliance import __version__, main
from appliance.config import ConfigError, UnreadableConfigError
from appliance.console import CannotDoError
from appliance.main import COULD_NOT, DONE, EXIT_CODES, SET_ASIDE, WRONG_USE, verbs
from daemon.decode import walk
from daemon.flow import core as cores
from daemon.store.errors import StoreError
from tests.appliance.conftest import Homeport


def test_every_verb_loads_and_explains_itself(homeport: Homeport) -> None:
    assert {"config", "demo", "export", "import", "version"} <= set(verbs())
    for verb in verbs():
        ran = homeport(verb, "--help")
        assert ran.code == DONE
        assert f"homeport {verb}" in ran.out


@pytest.mark.parametrize("verb", ["data", "report", "longitudinal"])
def test_verb_of_several_steps_says_which_there_are(homeport: Homeport, verb: str) -> None:
    ran = homeport(verb)
    (line,) = ran.err.splitlines()
    assert ran.code == WRONG_USE
    assert line.startswith(f"homeport {verb}: say which: ")
    assert line.endswith(f". `homeport {verb} --help` shows what each does.")
    for step in line.split(": ")[2].partition(".")[0].split(", "):
        assert homeport(verb, step, "--help").code == DONE


@pytest.mark.parametrize("words", [[], ["data"], ["devices"], ["longitudinal"], ["report"]])
def test_no_list_of_help_breaks_off_in_a_sentence(homeport: Homeport, words: list[str]) -> None:
    listed = homeport(*words, "--help").out.partition("Commands:")[2]
    assert listed
    assert "..." not in listed


def test_help_lists_verbs_and_exit_codes(homeport: Homeport) -> None:
    ran = homeport("--help")
    assert ran.code == DONE
    for verb in verbs():
        assert f"\n  {verb} " in ran.out
    for code, meaning in EXIT_CODES.items():
        assert f"  {code}  {meaning}" in ran.out
    assert homeport().out == ran.out


def test_version(homeport: Homeport) -> None:
    assert homeport("--version") == (DONE, f"homeport {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["imprt", "x.pcap"], "homeport: no verb 'imprt'; did you mean 'import'? `homeport --help` shows how."),
        (["frobnicate"], "homeport: no verb 'frobnicate'. `homeport --help` shows how."),
        (["__init__"], "homeport: no verb '__init__'. `homeport --help` shows how."),
        (["../main"], "homeport: no verb '../main'. `homeport --help` shows how."),
        (["a\x1b[2J"], "homeport: no verb 'a\\\\x1b[2J'. `homeport --help` shows how."),
        (["import"], "homeport import: missing argument 'PATH...'. `homeport import --help` shows how."),
        (
            ["demo", "--no-server"],
            "homeport demo: no such option '--no-server'. Did you mean '--no-serve'? `homeport demo --help` shows how.",
        ),
        (["--frob"], "homeport: no such option '--frob'. `homeport --help` shows how."),
    ],
)
def test_wrong_use_is_one_line(homeport: Homeport, arguments: list[str], line: str) -> None:
    ran = homeport(*arguments)
    assert (ran.code, ran.out) == (WRONG_USE, "")
    assert ran.err.splitlines() == [line]


def test_misspelt_flag_gets_the_near_one(homeport: Homeport) -> None:
    ran = homeport("import", "x.pcap", "--sit", "a")
    assert ran.code == WRONG_USE
    assert "'--sit'" in ran.err
    assert "--site" in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (CannotDoError("no capture in x; nothing was imported"), COULD_NOT, "no capture in x; nothing was imported"),
        (StoreError("the database is of a newer version"), COULD_NOT, "the database is of a newer version"),
        (ConfigError("c.toml: unknown key a"), WRONG_USE, "c.toml: unknown key a"),
        (UnreadableConfigError("c.toml: No such file"), COULD_NOT, "c.toml: No such file"),
        (click.UsageError("bad"), WRONG_USE, "bad"),
        (OSError(errno.ENOSPC, "No space left on device", "home.db"), COULD_NOT, "the disk is full: home.db; "),
        (PermissionError(errno.EACCES, "Permission denied", "a\x07.pcap"), COULD_NOT, "permission denied: a\\x07.pcap"),
        (KeyboardInterrupt(), COULD_NOT, "interrupted; what was finished before is kept"),
        (
            ZeroDivisionError("division\nby zero"),
            COULD_NOT,
            "a fault in Homeport (ZeroDivisionError: division\\nby zero)",
        ),
    ],
)
def test_every_failure_is_one_line_and_a_code(
    homeport: Homeport, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, words: str
) -> None:
    @click.command()
    def command() -> None:
        raise raised

    monkeypatch.setattr(main._Verbs, "get_command", lambda *_: command)
    ran = homeport("import")
    assert ran.code == code
    assert words in ran.err
    line = ran.err.lstrip("\n")  # click ends the line on which the terminal shows ^C
    assert line.startswith("homeport")
    assert len(line.splitlines()) == 1


def test_debug_shows_where(homeport: Homeport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_DEBUG", "1")
    with pytest.raises(click.UsageError):
        homeport("frobnicate")


def test_exit_code_of_a_verb_is_that_of_the_command(homeport: Homeport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main._Verbs, "get_command", lambda *_: click.Command("x", callback=lambda: SET_ASIDE))
    assert homeport("import").code == SET_ASIDE


def test_a_verb_pays_for_nothing_but_itself() -> None:
    code = (
        "import sys; from appliance.main import run; run(['import', '--help']);"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root())
    heavy = {"fastapi", "rich", "pydantic", "numpy", "cryptography", "uvicorn", "sqlite_utils", "tldextract", "geoip2"}
    assert heavy & set(ran.stderr.split()) == set()


@pytest.mark.skipif(not (cores.NATIVE and walk.NATIVE), reason="the walks in C are not built here")
def test_an_import_pays_for_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    capture = root() / "tests" / "data" / "dhcp_dns_http.pcap"
    code = (
        "import sys; from appliance.main import run;"
        f"code = run(['import', {str(capture)!r}, '--db', {str(tmp_path / 'home.db')!r}]);"
        "print(code, *sorted(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root())
    code_and_modules = ran.stderr.splitlines()[-1].split()
    assert code_and_modules[0] == "0", ran.stderr
    heavy = {"numpy", "cryptography", "dpkt", "sqlite_utils", "rich"}
    assert heavy & set(code_and_modules) == set()


def root() -> Path:
    return Path(__file__).parent.parent.parent


@pytest.mark.parametrize("arguments", [["--help"], ["config"], ["version"]])
def test_reader_who_has_left_hears_no_complaint(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "from appliance.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], stdout=writer, stderr=subprocess.PIPE, check=False, cwd=root()
    )
    os.close(writer)
    assert ran.stderr == b""


@pytest.mark.parametrize("arguments", [["version"], ["config"], ["export", "flows"]])
def test_closed_output_is_no_fault(arguments: list[str]) -> None:
    command = f"{sys.executable} -c 'from appliance.main import main; main()' {' '.join(arguments)} >&-"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=root())
    assert "Traceback" not in ran.stderr
    assert "fault" not in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_output_is_one_line() -> None:
    command = f"{sys.executable} -c 'from appliance.main import main; main()' version >/dev/full"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=root())
    assert ran.returncode == COULD_NOT
    assert "the disk is full" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
