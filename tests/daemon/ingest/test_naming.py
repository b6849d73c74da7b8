"""Names for addresses, from captures to the views: for whom, from when, until when, and why there is none."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.decode.hellos import alpn, client_hello, extension, handshake, records, versions
from tests.daemon.ingest.houses import (
    BRIDGE,
    CDN,
    MINUTE,
    OTHER,
    SPEAKER,
    any_order,
    home,
    names,
    rows,
    tablet,
    why,
)
from tests.daemon.ingest.scenes import (
    HOUR,
    SECOND,
    TABLET,
    TABLET_MAC,
    Frame,
    dhcp_request,
    lookup,
    talk,
    write,
)
from tests.support import packets as p
from tests.support.answers import chain, told
from tests.support.compare import same
from tests.support.importing import homeport, imported
from tests.support.packets import HOST, START_US

# --- whose name


def test_one_address_of_a_cdn_serves_two_brands_to_two_devices(tmp_path: Path) -> None:
    database = home(
        tmp_path,
        [dhcp_request(START_US, SPEAKER), dhcp_request(START_US, BRIDGE, TABLET_MAC)],
        lookup(START_US + SECOND, "update.sonos.com", CDN),
        lookup(START_US + 2 * SECOND, "api.meethue.com", CDN, client=TABLET, mac=TABLET_MAC),
        talk(START_US + MINUTE, server=CDN),
        tablet(START_US + 2 * MINUTE),
    )
    assert names(database) == [("update.sonos.com", "dns"), ("api.meethue.com", "dns")]
    found = rows(
        database,
        "SELECT device, domain, organisation, party, address FROM destinations WHERE domain IS NOT NULL ORDER BY domain",
    )
    assert found == [
        (BRIDGE, "api.meethue.com", "Signify", "first", None),
        (SPEAKER, "update.sonos.com", "Sonos", "first", None),
    ]
    moved = rows(
        database,
        "SELECT d.name, t.domain, t.remote_address FROM traffic t JOIN devices d USING (device_id)"
        " WHERE t.protocol = 'tcp' ORDER BY t.domain",
    )
    assert moved == [(BRIDGE, "api.meethue.com", CDN), (SPEAKER, "update.sonos.com", CDN)]


def test_the_same_address_is_given_to_another_name_an_hour_later(tmp_path: Path) -> None:
    database = home(
        tmp_path,
        lookup(START_US, "first.example", CDN, ttl=60),
        talk(START_US + MINUTE, server=CDN, port=40001),
        talk(START_US + 30 * MINUTE, server=CDN, port=40002),
        lookup(START_US + HOUR, "second.example", CDN, ttl=60),
        talk(START_US + HOUR + MINUTE, server=CDN, port=40003),
    )
    assert names(database) == [("first.example", "dns"), (None, None), ("second.example", "dns")]


def test_a_running_connection_keeps_its_name_while_the_address_gets_another(tmp_path: Path) -> None:
    database = home(
        tmp_path,
        lookup(START_US, "first.example", CDN, ttl=60),
        talk(START_US + SECOND, server=CDN, gap_us=10 * MINUTE, close=False),
        lookup(START_US + HOUR, "second.example", CDN, ttl=60),
    )
    assert names(database) == [("first.example", "dns")]
    spread = rows(database, "SELECT DISTINCT domain FROM traffic WHERE protocol = 'tcp'")
    assert spread == [("first.example",)]
    assert rows(database, "SELECT count(*) > 1 FROM traffic WHERE protocol = 'tcp'") == [(1,)]


def test_the_hello_comes_before_what_was_asked_for(tmp_path: Path) -> None:
    database = home(
        tmp_path, lookup(START_US, "asked.example", CDN), talk(START_US + SECOND, "hello.example", server=CDN)
    )
    assert names(database) == [("hello.example", "tls")]


def test_own_answer_then_the_house_then_nothing(tmp_path: Path) -> None:
    """The tablet asks nobody, or somebody whose answers cannot be read."""
    database = home(
        tmp_path,
        lookup(START_US, "old.example", CDN, ttl=600),
        lookup(START_US + MINUTE, "new.example", CDN, ttl=600),
        tablet(START_US + 2 * MINUTE, port=40001),  # the house's latest
        lookup(START_US + 3 * MINUTE, "own.example", CDN, client=TABLET, mac=TABLET_MAC, ttl=0),
        lookup(START_US + 4 * MINUTE, "newest.example", CDN, ttl=600),
        tablet(START_US + 5 * MINUTE, port=40002),  # its own, although the house has a later one
        tablet(START_US + 9 * MINUTE, port=40003),  # its own has run out after 5 minutes
        tablet(START_US + 15 * MINUTE, port=40004),  # and so has the house's
    )
    assert names(database) == [
        ("new.example", "house"), ("own.example", "dns"), ("newest.example", "house"), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ttl", "after_s", "named"),
    [(0, 299, True), (0, 301, False), (3600, 3599, True), (3600, 3601, False), (0xFFFFFFFF, 7 * 86400 - 60, True),
     (0xFFFFFFFF, 7 * 86400 + 60, False), (86_400 * 3, 86_400 * 3 - 60, True)],
)  # fmt: skip
def test_how_long_an_answer_speaks(tmp_path: Path, ttl: int, after_s: int, named: bool) -> None:
    answer = lookup(START_US, "name.example", CDN, ttl=ttl)
    database = home(tmp_path, answer, talk(answer[-1][0] + after_s * SECOND, server=CDN))
    assert names(database) == [("name.example", "dns") if named else (None, None)]


def test_an_answer_that_comes_after_the_flow_began_does_not_name_it(tmp_path: Path) -> None:
    database = home(
        tmp_path,
        talk(START_US, server=CDN, gap_us=20 * SECOND, close=False),
        lookup(START_US + MINUTE, "late.example", CDN),
    )
    assert names(database) == [(None, None)]


def test_the_certificate_comes_last(tmp_path: Path) -> None:
    """Of TLS 1.2, where it can be read, from a client that names no server."""
    _, flight = handshake(ssl.TLSVersion.TLSv1_2)

    def shown(at: int, port: int) -> list[Frame]:
        conversation = p.Conversation(client=HOST, server=CDN, client_port=port, start_us=at)
        return conversation.open().send(records(client_hello(alpn(b"h2")))).reply(flight).close().frames

    database = home(
        tmp_path,
        shown(START_US, 40001),
        lookup(START_US + HOUR, "asked.example", CDN),
        shown(START_US + HOUR + SECOND, 40002),
    )
    assert names(database) == [("example.com", "certificate"), ("asked.example", "dns")]


# --- no name, and why


def test_an_address_that_nobody_asked_for(tmp_path: Path) -> None:
    database = home(tmp_path, lookup(START_US, "other.example", OTHER), talk(START_US + SECOND, server=CDN))
    assert names(database) == [(None, None)]
    assert why(database) == [(CDN, "unknown", "unknown", None)]
    reasons = rows(database, "SELECT reason, bytes_up > 0, flows FROM destinations WHERE domain IS NULL")
    assert reasons == [(f"Nothing tells whose {CDN} is: it was never asked for by name.", 1, 1)]


def test_a_hello_that_hides_its_name(tmp_path: Path) -> None:
    outer = extension(0xFE0D, b"\x00" + bytes(8))
    hidden = records(client_hello(outer + alpn(b"h2") + versions(0x0304)))
    conversation = p.Conversation(client=HOST, server=CDN, start_us=START_US).open().send(hidden).reply(b"y" * 900)
    database = home(tmp_path, conversation.close().frames)
    assert why(database) == [(CDN, "ech", "unknown", None)]


def test_a_hidden_name_is_known_from_the_answer(tmp_path: Path) -> None:
    outer = extension(0xFE0D, b"\x00" + bytes(8))
    hidden = records(client_hello(outer + versions(0x0304)))
    conversation = p.Conversation(client=HOST, server=CDN, start_us=START_US + SECOND).open().send(hidden)
    database = home(tmp_path, lookup(START_US, "hidden.example", CDN), conversation.close().frames)
    assert names(database) == [("hidden.example", "dns")]


def test_a_connection_that_was_there_before_the_capture(tmp_path: Path) -> None:
    whole = talk(START_US, server=CDN)
    database = home(tmp_path, whole[3:])
    assert why(database) == [(CDN, "before", "unknown", None)]


def test_a_connection_without_a_name_that_goes_on_in_the_next_file_did_not_begin_before_it(tmp_path: Path) -> None:
    whole = talk(START_US, server=CDN, gap_us=MINUTE, close=False)
    paths = [
        write(tmp_path / f"2026-01-0{day}_00.00.00_wlan0.pcap", part) for day, part in ((1, whole[:4]), (2, whole[4:]))
    ]
    assert [row[1] for row in why(any_order(tmp_path, *paths))] == ["unknown"]


def test_datagrams_in_the_middle_of_a_capture_did_not_begin_before_it(tmp_path: Path) -> None:
    def datagrams(at: int, server: str) -> list[Frame]:
        return [(at + n * SECOND, p.udp_frame(bytes(90), HOST, server, 50000, 50001)) for n in range(3)]

    database = home(tmp_path, datagrams(START_US + SECOND, CDN), datagrams(START_US + HOUR, OTHER))
    assert why(database) == [(CDN, "before", "unknown", None), (OTHER, "unknown", "unknown", None)]


# --- midnight and the borders of files


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_a_connection_over_midnight_and_over_a_file_border(
    tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last night of a month as the house counts it: one name, two days, two months."""
    monkeypatch.setenv("TZ", zone)
    midnight = int(datetime(2026, 5, 1, tzinfo=ZoneInfo(zone)).timestamp()) * SECOND
    whole = talk(midnight - 30 * MINUTE, server=CDN, gap_us=5 * MINUTE, reply=9000, close=False)
    assert whole[0][0] < midnight < whole[-1][0]
    border = next(at for at, (time_us, _) in enumerate(whole) if time_us > midnight - 10 * MINUTE)
    question = lookup(whole[0][0] - SECOND, "night.example", CDN)
    paths = [
        write(tmp_path / f"{datetime.fromtimestamp(part[0][0] / SECOND, UTC):%Y-%m-%d_%H.%M.%S}_wlan0.pcap", part)
        for part in ([*question, *whole[:border]], whole[border:])
    ]
    database = any_order(tmp_path, *paths)
    assert names(database) == [("night.example", "dns"), ("night.example", "continued")]
    before = sum(len(frame) for time_us, frame in whole if time_us < midnight)
    after = sum(len(frame) for time_us, frame in whole if time_us >= midnight)
    months = rows(
        database,
        "SELECT month, domain, sum(bytes_up + bytes_down), sum(flows) FROM destinations GROUP BY 1, 2 ORDER BY 1",
    )
    assert months == [
        ("2026-04", "night.example", before, 2),
        ("2026-05", "night.example", after, 0),
    ]  # both began in April
    slots = rows(database, "SELECT slot_us, bytes_up + bytes_down FROM traffic WHERE protocol = 'tcp'")
    assert sum(size for slot_us, size in slots if slot_us < midnight) == before
    assert sum(size for slot_us, size in slots if slot_us >= midnight) == after
    assert rows(database, "SELECT DISTINCT domain FROM traffic WHERE protocol = 'tcp'") == [("night.example",)]


# --- order


def evening(folder: Path) -> list[Path]:
    """A house in four captures, each of which changes what the others mean."""
    hue = chain(CDN, "api.meethue.com", "hue.cdn.example")
    return [
        write(
            folder / "devices.pcap",
            [dhcp_request(START_US, SPEAKER), dhcp_request(START_US, BRIDGE, TABLET_MAC)],
            talk(START_US + 5 * SECOND, server=CDN, port=40001),
        ),
        write(folder / "answers.pcap", told(START_US + SECOND, "api.meethue.com", *hue), tablet(START_US + 6 * SECOND)),
        write(
            folder / "own.pcap",
            lookup(START_US + 2 * SECOND, "update.sonos.com", CDN),
            lookup(START_US + 3 * SECOND, "0.pool.ntp.org", OTHER, client=TABLET, mac=TABLET_MAC, ttl=86_400),
        ),
        write(
            folder / "later.pcap",
            talk(START_US + 3 * HOUR, server=OTHER, port=40002),
            told(START_US + 3 * HOUR, "api.meethue.com", ("api.meethue.com", "CNAME", "new.cdn.example")),
            talk(START_US + 3 * HOUR + SECOND, "api.meethue.com", server=CDN, port=40003),
        ),
    ]


def test_names_and_verdicts_do_not_depend_on_the_order_of_imports(tmp_path: Path) -> None:
    paths = evening(tmp_path)[:3]
    database = any_order(tmp_path, *paths)
    assert same(database, imported(tmp_path / "workers.db", *paths, jobs=2)) == []
    assert names(database) == [("update.sonos.com", "dns"), ("update.sonos.com", "house")]


def test_the_same_of_a_shuffled_house(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("shuffled")
    paths = evening(folder)
    together = imported(folder / "together.db", *paths)
    assert rows(together, "SELECT DISTINCT infrastructure FROM destinations WHERE domain = 'api.meethue.com'") == [
        ("new.cdn.example",)
    ]

    numbers = count()

    @settings(max_examples=6)
    @given(st.permutations(paths), st.lists(st.booleans(), min_size=4, max_size=4))
    def check(order: list[Path], again: list[bool]) -> None:
        """Some captures come twice; that adds nothing."""
        database = folder / f"{next(numbers)}.db"
        for path, twice in zip(order, again, strict=True):
            imported(database, path)
            if twice:
                imported(database, path)
        homeport("classify", "--db", database)
        assert same(together, database) == []

    check()
