"""The story of the sample home, as docs/sample.md tells it, found again in the public views after a whole demo."""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.config import VARIABLE
from appliance.main import run
from appliance.sample import devices, gadgets
from appliance.sample.device import Device

DOCS = Path(__file__).parents[3] / "docs" / "sample.md"
DAY_US = 86_400_000_000
NIGHT = "(slot_us / 3600000000 % 24 >= 22 OR slot_us / 3600000000 % 24 < 6)"


def us(month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(dt.datetime(2026, month, day, hour, minute, tzinfo=dt.UTC).timestamp()) * 1_000_000


WEEK = us(6, 22)  # the newest week begins
END = us(6, 29)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole demo, made once."""
    base = tmp_path_factory.mktemp("story")
    (base / "homeport.toml").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(base / "homeport.toml"))
        assert run(["demo", "--no-serve", "--folder", str(base / "demo")]) == 0
    return base / "demo"


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{(folder / 'homeport.db').as_uri()}?mode=ro", uri=True)) as db:
        db.row_factory = lambda cursor, row: SimpleNamespace(
            **dict(zip([column[0] for column in cursor.description], row, strict=True))
        )
        yield db


def number(db: sqlite3.Connection, device: Device) -> int:
    """The device's number in this database."""
    (row,) = db.execute("SELECT device_id FROM devices WHERE mac = ?", (device.mac.hex(":"),)).fetchall()
    return int(row.device_id)


def one(db: sqlite3.Connection, query: str, *values: object) -> float:
    """The only value of the only row; 0 where there is none."""
    (row,) = db.execute(query, values).fetchall()
    return float(next(iter(vars(row).values())) or 0)


def share(db: sqlite3.Connection, device: Device, condition: str) -> float:
    """Which part of a device's bytes over the internet fulfils a condition on `traffic`."""
    query = "SELECT 1.0 * sum(CASE WHEN {} THEN bytes_up + bytes_down ELSE 0 END) / sum(bytes_up + bytes_down)"
    rest = " FROM traffic WHERE scope = 'internet' AND device_id = ?"
    return one(db, query.format(condition) + rest, number(db, device))


def test_it_is_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in (folder / "captures").iterdir()) <= 60e6
    assert (folder / "homeport.db").stat().st_size <= 40e6


def test_five_months_with_every_day_and_a_whole_last_week(home: sqlite3.Connection) -> None:
    months = [row.month for row in home.execute("SELECT DISTINCT month FROM destinations ORDER BY 1")]
    assert months == ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]
    days = {row.day for row in home.execute("SELECT DISTINCT slot_us / ? AS day FROM traffic", (DAY_US,))}
    assert days == set(range(us(2, 1) // DAY_US, END // DAY_US))
    week, before = (
        one(home, "SELECT sum(bytes_up + bytes_down) FROM traffic WHERE slot_us >= ? AND slot_us < ?", begin, end)
        for begin, end in ((WEEK, END), (WEEK - 7 * DAY_US, WEEK))
    )
    assert 0.5 < week / before < 2


def test_everybody_of_the_cast_is_a_device(home: sqlite3.Connection) -> None:
    assert {number(home, device) for device in devices.DEVICES} == {
        row.device_id for row in home.execute("SELECT device_id FROM devices")
    }


def test_the_household_named_some_and_left_others(home: sqlite3.Connection) -> None:
    said = {row.name for row in home.execute("SELECT name FROM devices WHERE name_source = 'owner'")}
    assert {"Living room TV", "Anna's phone", "Garden camera", "Air sensor"} <= said
    assert one(home, "SELECT count(*) FROM devices WHERE name IS NULL OR name_source <> 'owner'") >= 5
    assert {row.owner for row in home.execute("SELECT owner FROM devices WHERE owner IS NOT NULL")} == {
        "Anna", "Jonas", "Mia",
    }  # fmt: skip


def test_the_television_gained_third_parties_in_the_last_week(home: sqlite3.Connection) -> None:
    rows = home.execute(
        "SELECT domain, purpose, min(first_seen_us) AS begin FROM destinations"
        " WHERE device_id = ? AND party = 'third' GROUP BY 1",
        (number(home, devices.TELEVISION),),
    ).fetchall()
    new = {row.domain: row.purpose for row in rows if row.begin >= WEEK}
    assert new == {
        "events.samba.tv": "recognition",
        "ib.adnxs.com": "advertising",
        "sb.scorecardresearch.com": "analytics",
    }
    assert {row.domain for row in rows if row.begin < WEEK} >= {"pubads.g.doubleclick.net"}


def test_the_microcontroller_hammers_one_server_in_the_last_five_days(home: sqlite3.Connection) -> None:
    days = {
        row.day: row
        for row in home.execute(
            "SELECT slot_us / ? AS day, sum(packets_up + packets_down) AS packets, sum(bytes_up + bytes_down) AS bytes"
            " FROM traffic WHERE device_id = ? AND domain = 'ingest.balcony-air.example' GROUP BY 1",
            (DAY_US, number(home, gadgets.ESP32)),
        )
    }
    hammered = {day for day, row in days.items() if row.packets > 20_000}
    assert hammered == set(range(us(6, 24) // DAY_US, END // DAY_US))
    assert all(row.packets < 500 for day, row in days.items() if day not in hammered)
    assert all(days[day].bytes / days[day].packets < 70 for day in hammered)
    attempts = one(
        home,
        "SELECT sum(count) FROM flows WHERE device_id = ? AND server_port = 8086 AND end = 'rst'",
        number(home, gadgets.ESP32),
    )
    assert attempts > 5 * 3_500


def test_the_vacuum_wakes_at_night_and_sends_to_a_new_country(home: sqlite3.Connection) -> None:
    vacuum = number(home, gadgets.VACUUM)
    begun = "SELECT min(first_seen_us) FROM destinations WHERE device_id = ? AND country = 'SG'"
    assert one(home, begun, vacuum) >= WEEK
    before, since = (share(home, gadgets.VACUUM, f"{NIGHT} AND slot_us {when} {WEEK}") for when in ("<", ">="))
    assert since > 0.5
    assert before < 0.05
    nights = {
        row.slot_us // DAY_US
        for row in home.execute(
            "SELECT slot_us FROM traffic WHERE device_id = ? AND slot_us >= ? AND bytes_up > 100000", (vacuum, WEEK)
        )
        if row.slot_us % DAY_US < 6 * 3_600_000_000
    }
    assert len(nights) == 7


def test_the_camera_lives_on_a_platform_and_calls_an_address_that_nobody_asked_for(home: sqlite3.Connection) -> None:
    rows = home.execute(
        "SELECT domain, address, party, organisation, country FROM destinations WHERE device_id = ?",
        (number(home, gadgets.CAMERA),),
    ).fetchall()
    assert {row.organisation for row in rows if row.party == "platform"} == {"Tuya"}
    (unasked,) = [row for row in rows if row.domain is None]
    assert unasked.country == "MT"
    asked = "SELECT count(*) FROM dns_answers WHERE value = ?"
    assert one(home, asked, unasked.address) == 0


def test_the_thermostat_beacons_every_ten_minutes(home: sqlite3.Connection) -> None:
    times = [
        row.first_seen_us
        for row in home.execute(
            "SELECT first_seen_us FROM flows WHERE device_id = ? AND service = 'coaps' AND first_seen_us >= ? ORDER BY 1",
            (number(home, gadgets.THERMOSTAT), WEEK),
        )
    ]
    gaps = [(two - one) / 1e6 for one, two in itertools.pairwise(times)]
    assert len(gaps) == 7 * 144 - 1
    assert 570 < min(gaps) < 590
    assert 610 < max(gaps) < 630


def test_resolvers_of_ones_own(home: sqlite3.Connection) -> None:
    rows = home.execute(
        "SELECT DISTINCT device_id FROM dns_queries WHERE transport = 'udp' AND resolver_address = '8.8.8.8'"
    ).fetchall()
    assert [row.device_id for row in rows] == [number(home, devices.NEST)]
    for device, service in ((devices.PC, "doh"), (gadgets.VISITOR, "dot")):
        assert one(
            home, "SELECT count(*) FROM flows WHERE device_id = ? AND service = ?", number(home, device), service
        )


def test_the_radio_is_not_encrypted_and_the_rest_is(home: sqlite3.Connection) -> None:
    assert share(home, gadgets.RADIO, "encrypted = 'no'") > 0.95
    assert share(home, devices.TELEVISION, "encrypted = 'no'") < 0.01


def test_the_laptop_uses_ipv6_and_odd_ports_and_protocols(home: sqlite3.Connection) -> None:
    assert 0.3 < share(home, devices.MACBOOK, "ip_version = 6") < 1
    assert share(home, gadgets.ESP32, "ip_version = 6") == 0
    laptop = number(home, devices.MACBOOK)
    assert one(home, "SELECT count(*) FROM flows WHERE device_id = ? AND server_port = 48101", laptop) >= 10
    assert one(home, "SELECT count(*) FROM flows WHERE device_id = ? AND protocol = 'esp'", laptop) >= 3


def test_who_comes_and_goes(home: sqlite3.Connection) -> None:
    seen = {
        row.mac: (row.first_seen_us, row.last_seen_us, row.mac_random)
        for row in home.execute("SELECT mac, first_seen_us, last_seen_us, mac_random FROM devices")
    }
    first, last, random = seen[gadgets.VISITOR.mac.hex(":")]
    assert us(6, 20) <= first < last < us(6, 22)
    assert random == 1
    assert seen[devices.IPHONE.mac.hex(":")][2] == 1
    assert seen[gadgets.PLUG.mac.hex(":")][0] >= WEEK
    hours = "SELECT count(DISTINCT slot_us / 3600000000 % 24) FROM traffic WHERE device_id = ?"
    assert one(home, hours, number(home, devices.HUE)) == 24
    assert one(home, hours, number(home, devices.PC)) <= 10


def test_films_are_for_the_evening(home: sqlite3.Connection) -> None:
    for device, domain in ((devices.TELEVISION, "%.nflxvideo.net"), (devices.PC, "%.ttvnw.net")):
        rows = home.execute(
            "SELECT slot_us / 3600000000 % 24 AS hour, sum(bytes_down) AS bytes FROM traffic"
            " WHERE device_id = ? AND domain LIKE ? GROUP BY 1",
            (number(home, device), domain),
        ).fetchall()
        assert sum(row.bytes for row in rows) > 50e6
        assert {row.hour for row in rows} <= set(range(18, 24))


def test_a_map_has_something_to_show(home: sqlite3.Connection) -> None:
    found = {row.country for row in home.execute("SELECT DISTINCT country FROM destinations")}
    assert found >= {
        "BR", "CH", "DE", "FI", "FR", "GB", "IE", "IS", "JP", "KR", "LU", "MT", "NL", "SE", "SG", "US",
    }  # fmt: skip


def test_what_was_not_recorded_is_known(home: sqlite3.Connection) -> None:
    gaps = home.execute("SELECT from_us, to_us, reason FROM capture_gaps ORDER BY 1").fetchall()
    assert [(gap.from_us, gap.to_us) for gap in gaps] == [
        (us(6, 16, 13, 5), us(6, 16, 15, 40)),
        (us(6, 21, 20, 14), us(6, 21, 20, 14) + 30_000_000),
    ]
    assert "off" in gaps[0].reason
    assert "212" in gaps[1].reason
    assert one(home, "SELECT sum(kernel_drops) FROM captures") == 212
    assert one(home, "SELECT sum(undecoded_packets) FROM captures") == 4


def test_the_fact_sheet_names_everybody() -> None:
    text = DOCS.read_text("utf-8")
    assert [device.key for device in devices.DEVICES if f"`{device.mac.hex(':')}`" not in text] == []
