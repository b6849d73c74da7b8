"""How the steps are spelled on a command line: as the document spells them, and as Homeport does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from appliance.console import CannotDoError, printable


class Steps(click.Group):
    """Steps by name; `map_ips` is `map-ips`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The step of that name, in either spelling."""
        return super().get_command(ctx, cmd_name.replace("_", "-"))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which steps there are if there is none of that name."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            steps = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"no step {printable(args[0])!r}; the steps are {steps}", ctx)
        return super().resolve_command(ctx, args)


class Step(click.Command):
    """A step whose options `--years` and `--device` take all words up to the next option: `--years 2023 2024 2025`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option in front of each of its words, which is how click understands it."""
        greedy = {name for option in self.params if option.multiple for name in option.opts}
        return super().parse_args(ctx, list(_spread(args, greedy)))


def _spread(args: Iterable[str], greedy: set[str]) -> Iterator[str]:
    option, said = "", False  # `said`: the option stands right before this word
    for word in args:
        if word.startswith("-"):
            name, glued, _ = word.partition("=")
            option, said = (name if name in greedy else ""), not glued
        elif option and not said:
            yield option
        else:
            said = False
        yield word


class Year(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A year with four digits."""

    name = "year"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a complaint that click shows."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) == 4 and text > "0000"):
            self.fail(f"{printable(text)!r} is no year such as 2025", param, ctx)
        return int(text)


def folder_name(text: str) -> str:
    """A device's name that is to be the name of a folder. Raises CannotDoError."""
    if not text or text in (".", "..") or "/" in text or "\0" in text or len(text.encode()) > 255:
        raise CannotDoError(f"{printable(text)!r} cannot be the name of a device: its folder would lie elsewhere")
    return text
