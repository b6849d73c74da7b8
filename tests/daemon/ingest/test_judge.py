"""Whose destinations are, from captures to the view `destinations`, and what a change of knowledge changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from daemon.ingest.importer import import_captures
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from tests.daemon.ingest.houses import CDN, OTHER, home, rows
from tests.daemon.ingest.scenes import DAY, SECOND, Frame, dhcp_request, lookup, talk, write
from tests.support.answers import chain, told
from tests.support.atlas import mmdb
from tests.support.compare import same
from tests.support.importing import homeport
from tests.support.packets import START_US

MONTH = 31 * DAY
AMAZON, HETZNER, AKAMAI = "52.94.236.248", "78.46.121.208", "23.194.10.201"


def atlas(folder: Path) -> Path:
    """A folder with the countries and networks of three addresses."""
    folder.mkdir()
    place = {f"{AMAZON}/32": "US", f"{HETZNER}/32": "DE", f"{AKAMAI}/32": "NL"}
    network = {
        f"{AMAZON}/32": (16509, "Amazon"),
        f"{HETZNER}/32": (24940, "Hetzner"),
        f"{AKAMAI}/32": (20940, "Akamai"),
    }
    (folder / "country.mmdb").write_bytes(mmdb({prefix: {"country_code": code} for prefix, code in place.items()}))
    numbers = {
        prefix: {"autonomous_system_number": asn, "autonomous_system_organization": name}
        for prefix, (asn, name) in network.items()
    }
    (folder / "asn.mmdb").write_bytes(mmdb(numbers, "asn ipvAll"))
    return folder


def speaker(at: int) -> list[Frame]:
    """A Sonos that talks to its maker by way of Akamai, to a bucket, to an advertiser, and to nobody knows whom."""
    frames = [dhcp_request(at, "SonosZP")]
    frames += told(at + SECOND, "ws.sonos.com", *chain(AKAMAI, "ws.sonos.com", "e1.akamaiedge.net"))
    frames += talk(at + 2 * SECOND, server=AKAMAI, port=40001)
    frames += talk(at + 3 * SECOND, "sonos-logger.s3.amazonaws.com", server=AMAZON, port=40002)
    frames += talk(at + 4 * SECOND, "ads.doubleclick.net", server=CDN, port=40003)
    return frames + talk(at + 5 * SECOND, server=HETZNER, port=40004)


def judged(folder: Path, *scenes: list[Frame], **known: object) -> Path:
    """A database of one capture, judged with this knowledge."""
    database = folder / "judged.db"
    path = write(folder / "home.pcap", *scenes)
    import_captures([str(path)], database, knowledge=Knowledge(**known))  # type: ignore[arg-type]  # the fields' names
    return database


def test_every_column_of_a_judgement(tmp_path: Path) -> None:
    database = judged(tmp_path, speaker(START_US), data=atlas(tmp_path / "data"))
    found = rows(
        database,
        "SELECT domain, address, party, organisation, tenant, infrastructure, asn, country, country_confidence, purpose,"
        " rule_id, registrable_domain FROM destinations ORDER BY first_seen_us",
    )
    assert found == [
        ("ws.sonos.com", None, "first", "Sonos", None, "e1.akamaiedge.net", 20940, "NL", "low", "own function",
         "own-service", "sonos.com"),
        ("sonos-logger.s3.amazonaws.com", None, "support", "Amazon", "sonos-logger.s3.amazonaws.com", None, 16509, "US",
         "medium", "cloud", "tenant", "amazonaws.com"),
        ("ads.doubleclick.net", None, "third", "Google", None, None, None, None, None, "advertising", "advertising",
         "doubleclick.net"),
        (None, HETZNER, "support", "Hetzner", None, None, 24940, "DE", "medium", "cloud", "network-carrier", None),
    ]  # fmt: skip
    reasons = [text for (text,) in rows(database, "SELECT reason FROM destinations ORDER BY first_seen_us")]
    assert reasons[0] == "sonos.com belongs to Sonos, which makes this Sonos device."
    assert all(0 < len(text) <= 160 for text in reasons)


def test_without_any_database_of_addresses_the_names_still_tell(tmp_path: Path) -> None:
    database = judged(tmp_path, speaker(START_US))
    found = rows(database, "SELECT domain, party, country IS NULL FROM destinations WHERE domain GLOB '*sonos.com'")
    assert found == [("ws.sonos.com", "first", 1)]


def test_a_change_of_knowledge_changes_all_months_and_is_listed(tmp_path: Path) -> None:
    database = judged(tmp_path, *[[*speaker(START_US + at * MONTH)] for at in range(3)])
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[[organisation]]\nname = "Sonos"\n[organisation.domains]\nanalytics = ["sonos-logger.s3.amazonaws.com"]\n'
    )
    changed = relabel_site(database, None, "home", Knowledge(organisations=(mine,)))
    listed = [(each.month, each.destination, each.before.party, each.after.party) for each in changed.changes]
    months = [month for (month,) in rows(database, "SELECT DISTINCT month FROM destinations ORDER BY month")]
    assert listed == [(month, "sonos-logger.s3.amazonaws.com", "support", "first") for month in months]
    assert all(each.device == "SonosZP" for each in changed.changes)
    found = rows(database, "SELECT DISTINCT party FROM destinations WHERE domain = 'sonos-logger.s3.amazonaws.com'")
    assert found == [("first",)]
    assert relabel_site(database, None, "home", Knowledge(organisations=(mine,))).changes == ()


def test_what_was_judged_by_other_knowledge_leaves_no_trace(tmp_path: Path) -> None:
    """Also no verdict that nothing refers to."""
    database = judged(tmp_path, speaker(START_US))
    (tmp_path / "again").mkdir()
    other = judged(tmp_path / "again", speaker(START_US))
    mine = tmp_path / "mine.toml"
    mine.write_text('[[organisation]]\nname = "Nobody"\n[organisation.domains]\nother = ["sonos.com"]\n')
    relabel_site(other, None, "home", Knowledge(organisations=(mine,)))
    assert same(database, other) != []
    relabel_site(other, None, "home", Knowledge())
    assert same(database, other) == []
    with closing(sqlite3.connect(other)) as db:
        unused = "SELECT count(*) FROM verdict WHERE id NOT IN (SELECT verdict_id FROM judgement)"
        assert db.execute(unused).fetchone() == (0,)


def test_an_atlas_that_comes_later(tmp_path: Path) -> None:
    """`homeport classify --db` after `homeport data update`: places appear in all months, parties of addresses too."""
    database = judged(tmp_path, speaker(START_US), speaker(START_US + MONTH))
    assert rows(database, "SELECT DISTINCT asn FROM destinations WHERE address IS NOT NULL") == [(None,)]
    changed = relabel_site(database, None, "home", Knowledge(data=atlas(tmp_path / "data")))
    assert {each.destination for each in changed.changes} >= {HETZNER, "ws.sonos.com"}
    assert rows(database, "SELECT DISTINCT asn, party FROM destinations WHERE address IS NOT NULL") == [
        (24940, "support")
    ]


def test_a_destination_of_two_devices_is_judged_for_each(tmp_path: Path) -> None:
    hue = "02:00:00:00:00:22"
    database = home(
        tmp_path,
        [dhcp_request(START_US, "SonosZP"), dhcp_request(START_US, "Philips-hue", hue)],
        talk(START_US + SECOND, "ws.sonos.com", server=CDN),
        talk(START_US + SECOND, "ws.sonos.com", client="192.168.1.22", mac=hue, server=CDN),
    )
    found = rows(database, "SELECT device, party, reason FROM destinations ORDER BY device")
    assert [row[:2] for row in found] == [("Philips-hue", "third"), ("SonosZP", "first")]
    assert found[0][2] == "sonos.com belongs to Sonos, which did not make this Philips Hue device."


def test_ownership_is_dated(tmp_path: Path) -> None:
    """Amazon bought Ring in April 2018: before that its servers were somebody else's."""
    early, late = 1_514_800_800_000_000, 1_531_130_400_000_000  # January and July 2018
    database = home(
        tmp_path,
        [dhcp_request(early, "RingDoorbell-1a")],
        talk(early + SECOND, "api.ring.com", server=CDN),
        *[talk(at + 2 * SECOND, "device-metrics-us.amazon.com", server=OTHER, port=40002) for at in (early, late)],
        lookup(late, "api.ring.com", CDN),
    )
    found = rows(database, "SELECT month, party FROM destinations WHERE domain GLOB '*amazon.com' ORDER BY month")
    assert rows(database, "SELECT vendor FROM devices") == [("Ring",)]
    assert [month for month, _ in found] == ["2018-01", "2018-07"]
    assert [party == "first" for _, party in found] == [False, True]


def test_an_import_that_adds_nothing_judges_nothing(tmp_path: Path) -> None:
    database = home(tmp_path, speaker(START_US))
    before = database.read_bytes()
    assert homeport("import", tmp_path / "home.pcap", "--db", database) == 0
    assert database.read_bytes() == before
