"""What is told of a company: whose it is, of one house with whom, what it does, and where it sits."""

from __future__ import annotations

import pytest

from daemon.classify.families import Families, Owner
from daemon.classify.organisation_files import load_organisations
from daemon.classify.organisations import Organisation, build_table

HOLDING = Organisation("Holding", country="DE", domains=(("shop", "holding.example"),))
LAMPS = Organisation(
    "Lamps", country="NL", parent="Holding", parent_since="2020-03", aliases=("Lamps GmbH", "Glow", "Glow Ltd", "Beam"),
    domains=(("cloud", "c.lamps.example"), ("maker", "lamps.example"), ("cloud", "d.lamps.example")),
    makes_for=("Doors",),
)  # fmt: skip
DOORS = Organisation("Doors", parent="Holding")
BULBS = Organisation("Bulbs", parent="Lamps")
SOLD = Organisation("Sold", parent="Holding", parent_since="2015-01", parent_until="2019-06")


@pytest.fixture(scope="module")
def families() -> Families:
    return Families(build_table([[HOLDING, LAMPS, DOORS, BULBS, SOLD]]))


def test_owners_sisters_and_what_it_owns(families: Families) -> None:
    lamps, bulbs, holding = (families.portrait(name) for name in ("Lamps", "Bulbs", "Holding"))
    assert lamps is not None and bulbs is not None and holding is not None  # noqa: PT018  for the reader of types
    assert lamps.owners == (Owner("Holding", "2020-03"),)
    assert (lamps.sisters, lamps.owns) == (("Doors",), ("Bulbs",))
    assert [owner.name for owner in bulbs.owners] == ["Lamps", "Holding"]
    assert (holding.owners, holding.sisters, holding.owns) == ((), (), ("Doors", "Lamps"))


def test_company_that_was_sold_is_nobodys_and_nobodys_sister(families: Families) -> None:
    sold = families.portrait("Sold")
    assert sold is not None
    assert (sold.owners, sold.sisters, sold.once) == ((), (), Owner("Holding", "2015-01", "2019-06"))


def test_kinds_seat_and_other_names(families: Families) -> None:
    lamps = families.portrait("Lamps")
    assert lamps is not None
    assert (lamps.kinds, lamps.country) == (("maker", "cloud"), "NL")
    assert lamps.brands == ("Beam", "Doors", "Glow")  # not `Lamps GmbH`, and no name twice


@pytest.mark.parametrize("name", ["Glow", "glow ltd", "lamps gmbh"])
def test_another_name_of_a_company_finds_it(families: Families, name: str) -> None:
    found = families.portrait(name)
    assert found is not None
    assert found.name == "Lamps"


@pytest.mark.parametrize("name", ["", "-", "nobody.example", "Lamp"])
def test_unknown_name_has_no_portrait(families: Families, name: str) -> None:
    assert families.portrait(name) is None


def test_every_company_of_the_table_has_its_portrait() -> None:
    """Whoever the table says owns a company owns it in both directions."""
    families = Families(load_organisations())
    for one in families.table.organisations.values():
        found = families.portrait(one.name)
        assert found is not None, one.name
        assert found.name == one.name
        assert found.kinds, one.name
        if one.parent and one.parent_until is None:
            owner = families.portrait(one.parent)
            assert owner is not None
            assert found.owners[0].name == one.parent
            assert one.name in owner.owns
        assert one.name not in found.sisters
