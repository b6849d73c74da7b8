"""The documentation says what the code does: verbs, exit codes, configuration keys, views and columns."""

from __future__ import annotations

import re
import shlex
from contextlib import closing, suppress
from pathlib import Path

import click
import pytest

from appliance import __version__
from appliance.config import KEYS, VARIABLE
from appliance.main import DEBUG, EXIT_CODES, homeport, verbs
from daemon.report.registry import KINDS
from daemon.store.database import open_database
from daemon.store.export import VIEWS
from web.pages import PAGES

ROOT = Path(__file__).parent.parent


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def section(document: str, heading: str) -> str:
    """What stands below a heading of the second level, up to the next one."""
    _, _, rest = document.partition(f"\n## {heading}\n")
    assert rest, f"no section {heading!r}"
    return rest.split("\n## ", 1)[0]


def table(section: str) -> list[list[str]]:
    """The rows of the first table of a section, without its head; cells without the code marks around them."""
    rows = [line.strip().strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def test_readme_lists_every_verb() -> None:
    listed = {row[0].removeprefix("homeport ") for row in table(section(text("README.md"), "Verbs"))}
    assert listed == set(verbs())


def test_readme_lists_every_exit_code() -> None:
    assert {int(code): meaning for code, meaning in table(section(text("README.md"), "Exit codes"))} == EXIT_CODES


def test_readme_names_every_view() -> None:
    named = set(re.findall(r"`([a-z_]+)`", section(text("README.md"), "What it knows")))
    assert set(VIEWS) <= named


def test_both_commands_are_on_the_first_screen() -> None:
    first = "\n".join(text("README.md").splitlines()[:24])
    assert "make demo" in first
    assert "make test" in first


def written(value: object) -> str:
    return str(value) if value not in ((), "") else "none"


def test_configuration_lists_every_key() -> None:
    rows = {row[0]: row[1:4] + row[5:] for row in table(section(text("docs/configuration.md"), "Keys"))}
    assert rows == {
        key.name: [key.type, written(key.default), key.about.allowed, key.about.purpose] for key in KEYS.values()
    }


def test_configuration_lists_the_environment() -> None:
    rows = {row[0] for row in table(section(text("docs/configuration.md"), "Environment"))}
    assert rows == {VARIABLE, DEBUG}


def test_schema_lists_exactly_the_views() -> None:
    assert re.findall(r"^## (\S+)$", text("docs/schema.md"), re.MULTILINE) == list(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
def test_schema_lists_every_column_in_order(view: str, tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "homeport.db")) as database:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({view})")]
    rows = table(section(text("docs/schema.md"), view))
    assert [row[0] for row in rows] == columns
    assert all(len(row[1]) >= 4 for row in rows)


def test_dashboard_lists_every_report() -> None:
    listed = {row[0]: row[1] for row in table(section(text("docs/dashboard.md"), "Reports"))}
    assert listed == {kind.name: kind.question for kind in KINDS}


def test_dashboard_lists_every_page_of_the_menu() -> None:
    listed = {row[0]: row[1] for row in table(section(text("docs/dashboard.md"), "Pages"))}
    menu = dict(re.findall(r'\("(/[a-z]*)", "([A-Z][a-z]+)"\)', text("web/templates/base.html")))
    assert menu.items() <= listed.items()
    assert {page.path for page in PAGES} >= set(listed)


def test_changelog_speaks_of_this_version() -> None:
    assert f"## [{__version__}]" in text("CHANGELOG.md")


PAGES_TO_READ = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")))


def anchors(name: str) -> set[str]:
    """What a link into a page may name: its headings, as the web pages of repositories spell them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", text(name)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES_TO_READ)
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text(name))
    links += [(each, "") for each in re.findall(r'(?:src|href)="(?!https?:)([^"#]+)', text(name))]
    for page, place in links:
        target = (ROOT / name).parent / page if page else ROOT / name
        assert target.exists(), page
        if place:
            assert place in anchors(str(target.resolve().relative_to(ROOT))), f"{page}#{place}"


def commands(name: str) -> list[str]:
    """What a page's boxes tell people to type after `homeport`; a line that leaves something out (`[--yes]`) is none."""
    boxes = "\n".join(re.findall(r"(?ms)^```(?:sh|console|bash)?\n(.*?)^```", text(name))).replace("\\\n", " ")
    lines = re.findall(r"(?m)^(?:\$ )?(?:ssh homeport )?(?:sudo )?(?:\.venv/bin/)?homeport ([a-z][^#\n]*)", boxes)
    return [re.split(r" [|>&]|;", line)[0] for line in lines if "[" not in line and "NAME" not in line]


@pytest.mark.parametrize("name", [name for name in PAGES_TO_READ if commands(name)])
def test_commands_are_such_that_homeport_takes(name: str) -> None:
    for command in commands(name):
        group: click.Command = homeport
        context, rest = click.Context(homeport), shlex.split(command)
        while isinstance(group, click.Group) and rest:
            said, found, rest = group.resolve_command(context, rest)
            assert found is not None, command
            group, context = found, click.Context(found, context, said)
        with suppress(click.exceptions.Exit):  # `--help`
            group.make_context(group.name, rest, context.parent)  # raises what a person would be told


@pytest.mark.parametrize("name", [name for name in PAGES_TO_READ if name.startswith("docs/")])
def test_every_page_of_the_docs_is_led_to(name: str) -> None:
    others = "".join(text(other) for other in PAGES_TO_READ if other != name)
    assert re.search(rf"[(/]{re.escape(Path(name).name)}[)#]", others)
