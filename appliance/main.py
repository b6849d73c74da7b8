"""The `homeport` command: finds the verb, runs it, and says in one line what went wrong.

Rule 1: a verb's module is imported when the verb is called (or listed by --help): no verb pays for another.
Rule 2: whatever a person can cause ends in one line on standard error and an exit code of `EXIT_CODES`; tracebacks are
        for HOMEPORT_DEBUG=1.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import click

from appliance import __version__
from appliance.console import CannotDoError, note, printable, reader_may_leave

DONE, SET_ASIDE, WRONG_USE, COULD_NOT = 0, 1, 2, 3

EXIT_CODES: Mapping[int, str] = {
    DONE: "done",
    SET_ASIDE: "done, with parts set aside (the summary names them)",
    WRONG_USE: "wrong use: unknown verb, flag or configuration key",
    COULD_NOT: "could not be done, or was interrupted",
}

DEBUG = "HOMEPORT_DEBUG"
_VERBS = Path(__file__).parent / "cli"
_BEGIN = """\b
To begin:
  homeport demo                            a sample home, to look around in
  homeport import YOUR.pcap --db home.db   captures that you have

"""
_EPILOG = _BEGIN + "\b\nExit codes:\n" + "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items())


def verbs() -> list[str]:
    """Every verb there is, by name: the files in `appliance/cli/`."""
    files = (name.removesuffix(".py") for name in os.listdir(_VERBS) if name.endswith(".py"))  # noqa: PTH208 - each verb asks
    return sorted(name.replace("_", "-") for name in files if name[0] != "_")


class _Verbs(click.Group):
    """Verbs by file name; see Rule 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return verbs()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in verbs():
            return None
        command = import_module(f"appliance.cli.{cmd_name.replace('-', '_')}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"appliance/cli/{cmd_name}.py has no click command named `command`")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in verbs():
            raise click.UsageError(f"no verb {printable(args[0])!r}{_nearest(args[0])}", ctx)
        return super().resolve_command(ctx, args)


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, verbs(), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@click.group(
    cls=_Verbs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True
)
@click.version_option(__version__, "-V", "--version", prog_name="homeport", message="%(prog)s %(version)s")
@click.pass_context
def homeport(ctx: click.Context) -> None:
    """Says where every device in the house sends its data, and whose that is."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _wrong_use(error: click.ClickException) -> str:
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "homeport"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # its message is the whole help
        group = error.ctx.command if error.ctx else None
        steps = group.list_commands(error.ctx) if isinstance(group, click.Group) and error.ctx else []
        return f"{path}: say which: {', '.join(steps)}. `{path} --help` shows what each does."
    words = " ".join(error.format_message().split()).rstrip(".")
    stop = "" if words.endswith("?") else "."
    return f"{path}: {words[:1].lower()}{words[1:]}{stop} `{path} --help` shows how."


def _system_words(error: OSError) -> str:
    where = f": {printable(error.filename)}" if error.filename else ""
    kept = "; what was finished before is kept"
    if error.errno == errno.ENOSPC:
        return f"the disk is full{where}{kept}. Free some space and run the same command again."
    return f"{(error.strerror or str(error)).lower()}{where}{kept}"


def _explain(error: Exception, verb: str) -> tuple[int, str]:
    """Exit code and sentence for whatever a verb raised. The imports are late because most runs raise nothing."""
    from appliance.config import ConfigError, UnreadableConfigError
    from daemon.classify.organisation_files import OrganisationsError
    from daemon.store.errors import StoreError

    if isinstance(error, click.exceptions.UsageError):
        return WRONG_USE, _wrong_use(error)
    if isinstance(error, ConfigError):
        return COULD_NOT if isinstance(error, UnreadableConfigError) else WRONG_USE, f"{verb}: {error}"
    if isinstance(error, (CannotDoError, StoreError, OrganisationsError)):
        return COULD_NOT, f"{verb}: {error}"
    if isinstance(error, click.ClickException):
        return COULD_NOT, f"{verb}: {error.format_message()}"
    if isinstance(error, OSError):
        return COULD_NOT, f"{verb}: {_system_words(error)}"
    kind = type(error).__name__
    return COULD_NOT, (
        f"{verb}: a fault in Homeport ({kind}: {printable(error)}); what was finished before is kept. "
        f"{DEBUG}=1 shows where it happened; please report it."
    )


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Returns the exit code; lets only SystemExit out."""
    verb = " ".join(["homeport", *[a for a in arguments[:1] if a in verbs()]])
    try:
        result = homeport.main(list(arguments), prog_name="homeport", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        note(f"{verb}: interrupted; what was finished before is kept, the same command goes on from there")
        return COULD_NOT
    except Exception as error:  # the outermost edge: every fault becomes one line and a code
        if os.environ.get(DEBUG):
            raise
        code, line = _explain(error, verb)
        note(line)
        return code
    return result if isinstance(result, int) else DONE


def main() -> None:
    """Entry point of the installed command."""
    code = run(sys.argv[1:])
    if sys.stdout is not None:  # closed by whoever started us
        with reader_may_leave():
            sys.stdout.flush()
    gc.freeze()  # else the interpreter, before it goes, looks at every object once more for cycles
    sys.exit(code)
