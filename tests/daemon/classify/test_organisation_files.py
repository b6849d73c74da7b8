"""A user's file of organisations: it extends ours, and whatever is wrong with it is explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify import organisation_files
from daemon.classify.names import Names
from daemon.classify.organisation_files import LARGEST, OrganisationsError, load_organisations, read_organisation
from daemon.classify.organisations import Organisation

NAMES = Names()
GOOD = """
[[organisation]]
name = "Garden Robots"
country = "NL"
parent = "Amazon"
parent_since = "2024-02"
aliases = ["Mowbot"]
asns = [64512]
[organisation.domains]
maker = ["Mowbot.example", "bücher.example"]
platform = ["gw.*.mowbot.example"]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(organisation_files, "read_ours", lambda: [Organisation("Amazon", "US")])
    return tmp_path / "mine.toml"


def test_a_file_extends_ours(file: Path) -> None:
    file.write_text(GOOD, "utf-8")
    table = load_organisations([file], NAMES.is_public_suffix)
    robots = table.by_vendor("mowbot")
    assert robots is not None
    assert (robots.name, robots.country, robots.asns) == ("Garden Robots", "NL", (64512,))
    kinds = {
        d: m.kind
        for d in ("a.mowbot.example", "x.gw.eu.mowbot.example", "xn--bcher-kva.example")
        if (m := table.match(d))
    }
    assert kinds == {
        "a.mowbot.example": "maker",
        "x.gw.eu.mowbot.example": "platform",
        "xn--bcher-kva.example": "maker",
    }
    amazon = table.by_name("Amazon")
    assert amazon is not None
    assert table.related(robots, amazon, "2024-02")
    assert not table.related(robots, amazon, "2024-01")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "wants [[organisation]] entries and nothing else, not 'x'"),
        ('[[organisations]]\nname = "A"', "'organisations'; did you mean 'organisation'"),
        ("not toml", "not a TOML file in UTF-8"),
        ("organisation = 1", "wants [[organisation]] entries"),
        ("organisation = [1]", "wants [[organisation]] entries, not 1"),
        ("[[organisation]]", "wants a name of 1 to 100 characters, not None"),
        ('[[organisation]]\nname = "A\\n"', "wants a name of 1 to 100 characters"),
        (
            '[[organisation]]\nname = "A"\ncountri = "NL"',
            "organisation 'A': unknown key 'countri'; did you mean 'country'",
        ),
        ('[[organisation]]\nname = "A"\ncountry = "nl"', "country wants two capital letters such as NL, not 'nl'"),
        ('[[organisation]]\nname = "A"\nparent_since = "2020-01"', "parent_since or parent_until without a parent"),
        ('[[organisation]]\nname = "A"\nparent = "B"\nparent_since = "2020"', "wants a month such as 2018-04"),
        (
            '[[organisation]]\nname = "A"\nparent = "Amazone"',
            "no organisation is called 'Amazone'; did you mean 'Amazon",
        ),
        ('[[organisation]]\nname = "A"\nparent = "A"', "owns itself: A - A"),
        ('[[organisation]]\nname = "A"\naliases = "B"', "aliases wants a list of texts, not 'B'"),
        ('[[organisation]]\nname = "A"\nasns = ["1"]', "asns wants a list of numbers"),
        ('[[organisation]]\nname = "A"\nasns = [0]', "wants numbers of autonomous systems, not 0"),
        ('[[organisation]]\nname = "A"\ndomains = ["a.example"]', "domains wants a table of kinds"),
        (
            '[[organisation]]\nname = "A"\ndomains = {makers = []}',
            "unknown kind of domain 'makers'; did you mean 'maker'",
        ),
        ('[[organisation]]\nname = "A"\ndomains = {maker = ["com"]}', "'com' is no domain suffix"),
        ('[[organisation]]\nname = "A"\ndomains = {maker = ["*.com"]}', "'*.com' is no domain suffix"),
        ('[[organisation]]\nname = "A"\ndomains = {maker = ["http://a.example/"]}', "is no domain suffix"),
        ('[[organisation]]\nname = "A"\ndomains = {maker = ["192.0.2.1"]}', "is no domain suffix"),
        ('[[organisation]]\nname = "A"\ndomains = {maker = ["co.uk"]}', "co.uk is a public suffix"),
        ('[[organisation]]\nname = "A"\ndomains = {maker = ["a.example"], cdn = ["A.example"]}', "stands in it twice"),
        ('[[organisation]]\nname = "A"\n[[organisation]]\nname = "A"', "stands in the file twice"),
        (
            "\n".join(f'[[organisation]]\nname = "{name}"\ndomains = {{maker = ["a.example"]}}' for name in "AB"),
            "organisation 'B': a.example belongs to 'A' in the same file",
        ),
    ],
)
def test_what_is_wrong_is_explained(file: Path, text: str, said: str) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(OrganisationsError) as raised:
        load_organisations([file], NAMES.is_public_suffix)
    assert str(raised.value).startswith(str(file))
    assert said in str(raised.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OrganisationsError, match=r"nowhere\.toml: No such file"):
        load_organisations([tmp_path / "nowhere.toml"])
    (tmp_path / "latin.toml").write_bytes(b'x = "\xe9"')
    with pytest.raises(OrganisationsError, match=r"latin\.toml: not a TOML file in UTF-8"):
        load_organisations([tmp_path / "latin.toml"])
    (tmp_path / "large.toml").write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(OrganisationsError, match=r"large\.toml: larger than 4 MiB"):
        load_organisations([tmp_path / "large.toml"])


def test_damaged_files_of_ours_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organisation_files, "our_files", lambda: {"a.toml": b"damaged"})
    with pytest.raises(OrganisationsError, match="the organisation files of Homeport are damaged"):
        load_organisations()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(organisation_files.KEYS)


@given(st.dictionaries(KEYS, VALUES) | VALUES)
def test_any_entry_is_read_or_refused(raw: object) -> None:
    try:
        organisation = read_organisation(raw, "file")
    except OrganisationsError as error:
        said = str(error)
    else:
        said = f"file: {organisation.name}"
    assert said.startswith("file: ")
