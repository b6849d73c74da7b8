"""The table of rules, and what docs/classification.md says of it."""

from __future__ import annotations

import re
from pathlib import Path

from daemon.classify.kinds import KINDS
from daemon.classify.purposes import PURPOSES
from daemon.classify.rules import RULES
from daemon.classify.vocabulary import PARTIES

PAGE = (Path(__file__).parents[3] / "docs" / "classification.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """Rows of the first table under a heading of the second level, without code marks."""
    text = PAGE.partition(f"\n## {heading}\n")[2].split("\n## ", 1)[0]
    rows = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def test_the_page_lists_every_rule_in_order() -> None:
    assert [row[:2] for row in table("Rules")] == [[rule.rule_id, rule.party] for rule in RULES]


def test_the_page_lists_every_kind() -> None:
    rows = [row[:4] for row in table("Kinds of domains")]
    assert rows == [[kind.name, kind.others, kind.own, kind.about] for kind in KINDS.values()]


def test_the_page_lists_every_purpose_and_party() -> None:
    assert dict(row[:2] for row in table("Purposes")) == dict(PURPOSES)
    assert [row[0] for row in table("Parties")] == list(PARTIES)


def test_ids_are_unique_and_stay_words() -> None:
    ids = [rule.rule_id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule_id) for rule_id in ids)
    assert {rule.party for rule in RULES} == set(PARTIES)


def test_every_kind_has_a_rule_for_strangers() -> None:
    named = {rule.rule_id for rule in RULES}
    called = {"maker": "other-maker", "other": "other-organisation"}
    assert {called.get(kind, kind) for kind in KINDS} <= named
    parties = {rule.rule_id: rule.party for rule in RULES}
    assert {kind.name: parties[called.get(kind.name, kind.name)] for kind in KINDS.values()} == {
        kind.name: kind.others for kind in KINDS.values()
    }
