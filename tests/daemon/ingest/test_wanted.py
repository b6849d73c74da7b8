"""Every row that pages show is found again: its packets are as many as it counts, and those that tshark and dpkt pick."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.ingest.retrieve import Question, look_up
from daemon.ingest.wanted import NothingMetError, NotMeantError, Wanted, country_code, understand, wanted_of
from daemon.report.scope import Scope, Span
from daemon.report.watching import read_watching
from daemon.store.database import read_database
from tests.daemon.ingest.scenes import HOUR, TABLET_MAC, Frame, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US, ethernet, ipv4, udp
from tests.support.taken import packets_of, taken, tshark
from tests.support.twomonths import ADDRESSES, COUNTRIES, JUNE, MAY, home

DATA = Path(__file__).parents[2] / "data"
SHOWN = (
    "services",
    "dhcp_dns_http",
    "mdns",
    "tls13",
    "chromium",
    "quic",
    "gre",
    "vxlan",
    "sixinfour",
    "pppoe",
    "raw_ip",
)
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark here to compare with")
Counted = tuple[int, int]  # packets, bytes on the wire


def count(db: sqlite3.Connection, **words: str) -> Counted:
    """What the packets are of which words hold."""
    found = look_up(db, Question(1, "UTC", terms=understand(db, 1, _wanted(**words))))
    cuts = [(len(cut.offset), int(cut.wire.sum())) for cut in found.packets()]
    return sum(packets for packets, _ in cuts), sum(octets for _, octets in cuts)


def _wanted(**words: str) -> Wanted:
    return wanted_of(lambda word: (words[word],) if word in words else ())


def by(db: sqlite3.Connection, columns: str, view: str = "traffic", where: str = "1") -> dict[tuple[str, ...], Counted]:
    """Packets and bytes of a view by some columns, `-` for what nobody knows."""
    words = ", ".join(f"coalesce({column}, '-')" for column in columns.split())
    rows = db.execute(
        f"SELECT sum(packets_up + packets_down), sum(bytes_up + bytes_down), {words} FROM {view}"  # noqa: S608  ours
        f" WHERE {where} GROUP BY {words}"
    )
    return {tuple(map(str, row[2:])): row[:2] for row in rows}


@pytest.mark.parametrize("name", SHOWN)
def test_every_row_of_the_network_s_tables(tmp_path: Path, name: str) -> None:
    database = imported(tmp_path / "home.db", DATA / f"{name}.pcap", codes=(0, 1))
    with closing(read_database(database)) as db:
        for (protocol, service), counted in by(db, "protocol service").items():
            assert count(db, protocol=protocol, service=service) == counted
        for (version,), counted in by(db, "ip_version", where="ip_version IS NOT NULL").items():
            assert count(db, ip_version=version) == counted
        for (scope, encrypted), counted in by(db, "scope encrypted").items():
            assert count(db, scope=scope, encrypted=encrypted) == counted
        for (scope,), counted in by(db, "scope").items():
            assert count(db, scope=scope) == counted
        for service in {service for _, service in by(db, "protocol service")}:
            of = [counted for (_, each), counted in by(db, "protocol service").items() if each == service]
            assert count(db, service=service) == tuple(map(sum, zip(*of, strict=True)))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return home(tmp_path_factory.mktemp("wanted"))


def test_every_country_company_and_kind_of_company(house: tuple[Path, Path]) -> None:
    with closing(read_database(house[0])) as db:
        for column, word in (("country", "country"), ("organisation", "company"), ("party", "party")):
            rows = by(db, column, "destinations")
            assert len(rows) > 1
            for (value,), counted in rows.items():
                assert count(db, **{word: value}) == counted, (word, value)
        for (country, company, party), counted in by(db, "country organisation party", "destinations").items():
            assert count(db, country=country, company=company, party=party) == counted


def test_every_name_address_network_and_purpose(house: tuple[Path, Path]) -> None:
    with closing(read_database(house[0])) as db:
        for (name, address), counted in by(db, "domain address", "destinations").items():
            assert count(db, name=address if name == "-" else name) == counted, (name, address)
        for (purpose,), counted in by(db, "purpose", "destinations").items():
            assert count(db, purpose=purpose) == counted, purpose
        for (network,), counted in by(db, "asn", "destinations").items():
            assert count(db, network=network if network == "-" else f"as{network}") == counted, network
        for (port, where), counted in by(db, "server_port ip_version", "flows").items():
            assert count(db, port=port, ip_version=where) == counted, port
        inside = by(db, "protocol", where="scope <> 'internet'")
        assert count(db, scope="inside") == tuple(map(sum, zip(*inside.values(), strict=True)))


def test_several_companies_are_any_of_them(house: tuple[Path, Path]) -> None:
    both = taken(house[0], "--company", "Netflix", "--company", "Meta (Facebook)")
    each = [taken(house[0], "--company", company) for company in ("Netflix", "Meta (Facebook)")]
    assert sorted(both) == sorted(each[0] + each[1])
    assert all(each)


def test_what_watches_is_what_the_report_counts(tmp_path: Path) -> None:
    frames: list[Frame] = []
    for number, name in enumerate(
        ("ib.adnxs.com", "www.netflix.com", "ssl.google-analytics.com", "graph.facebook.com")
    ):
        at, server = START_US + number * HOUR, f"203.0.113.{number + 1}"
        frames += lookup(at, name, server) + talk(at + 1_000_000, name, server=server, port=42000 + number)
    database = imported(tmp_path / "home.db", write(tmp_path / "ads.pcap", frames))
    with closing(read_database(database)) as db:
        day = 86_400_000_000
        span = Span(START_US // day * day, START_US // day * day + 2 * day)
        watched = read_watching(Scope(db, 1, "home", "UTC", span, span.until_us))
        assert len(watched.companies) == 2
        assert count(db, party="third", purpose="watching")[1] == watched.bytes


def test_an_address_of_a_name(house: tuple[Path, Path]) -> None:
    whole = [
        taken(house[0], "--destination", "netflix.com", "--address", address)
        for address in sorted(ADDRESSES["Netflix"])
    ]
    assert all(whole)
    assert sorted(whole[0] + whole[1]) == sorted(taken(house[0], "--company", "Netflix"))
    assert taken(house[0], "--destination", "netflix.com", "--address", "203.0.113.200") == []


def iso(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us / 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


@needs_tshark
@pytest.mark.parametrize("code", ["MT", "US"])
def test_a_country_s_packets_are_tshark_s(house: tuple[Path, Path], tmp_path: Path, code: str) -> None:
    database, capture = house
    addresses = " || ".join(f"ip.addr == {each}" for each in COUNTRIES[code])
    may = f"({addresses}) && frame.time_epoch >= {MAY / 1e6:f} && frame.time_epoch < {JUNE / 1e6:f}"
    truth = tshark(tmp_path, may, capture)
    assert truth
    assert taken(database, "--country", code, "--since", "2024-05-01", "--until", "2024-05-31") == truth


@needs_tshark
def test_a_company_s_packets_are_tshark_s(house: tuple[Path, Path], tmp_path: Path) -> None:
    for company, addresses in ADDRESSES.items():
        expression = " || ".join(f"ip.addr == {each}" for each in addresses)
        assert taken(house[0], "--company", company) == tshark(tmp_path, expression, house[1])
    both = taken(house[0], "--destination", "45.57.0.5")
    assert both
    assert taken(house[0], "--company", "netflix", "--country", "United States") == both
    assert taken(house[0], "--application", "netflix") == taken(house[0], "--company", "Netflix")


@needs_tshark
@pytest.mark.parametrize(
    ("name", "flags", "expression"),
    [
        ("tls13", ("--protocol", "tcp", "--service", "https", "--encrypted", "yes"), "tcp.port in {443, 8443}"),
        ("services", ("--service", "ntp"), "ntp"),
        ("services", ("--protocol", "arp"), "arp"),
        ("services", ("--protocol", "icmpv6"), "icmpv6"),
        ("services", ("--service", "wireguard"), "wg"),
        ("dhcp_dns_http", ("--ip-version", "6"), "ipv6"),
        ("dhcp_dns_http", ("--protocol", "udp", "--service", "dns"), "udp.port == 53"),
        ("dhcp_dns_http", ("--service", "http", "--ip-version", "4"), "ip && tcp.port == 80"),
        ("dhcp_dns_http", ("--scope", "chatter"), "arp || icmpv6 || dhcp"),
        ("fragments", ("--ip-version", "4", "--protocol", "udp"), "ip && (udp || ip.proto == 17)"),
    ],
)
def test_a_protocol_s_packets_are_tshark_s(tmp_path: Path, name: str, flags: tuple[str, ...], expression: str) -> None:
    path = DATA / f"{name}.pcap"
    database = imported(tmp_path / "home.db", path, codes=(0, 1))
    truth = tshark(tmp_path, expression, path)
    assert truth
    assert taken(database, *flags) == truth


@needs_tshark
def test_device_service_and_time_together(house: tuple[Path, Path], tmp_path: Path) -> None:
    since, until = MAY, MAY + 11 * 24 * HOUR + HOUR
    flags = ("--device", TABLET_MAC, "--service", "https", "--since", iso(since), "--until", iso(until))
    expression = (
        f"eth.addr == {TABLET_MAC} && tcp.port == 443 && frame.time_epoch >= {since / 1e6:f}"
        f" && frame.time_epoch < {until / 1e6:f}"
    )
    truth = tshark(tmp_path, expression, house[1])
    assert truth
    assert taken(house[0], *flags) == truth
    irish = tshark(tmp_path, f"({expression}) && ip.addr == 31.13.64.35", house[1])
    assert 0 < len(irish) < len(truth)
    assert taken(house[0], *flags, "--country", "ie", "--party", "third", "--ip-version", "4") == irish


@needs_tshark
def test_questions_for_a_name_and_their_answers(house: tuple[Path, Path], tmp_path: Path) -> None:
    truth = tshark(tmp_path, 'dns.qry.name == "www.netflix.com"', house[1])
    assert len(truth) == 8
    assert taken(house[0], "--asked", "www.Netflix.com.") == truth
    mine = tshark(tmp_path, f'dns.qry.name == "www.netflix.com" && eth.addr == {HOST_MAC}', house[1])
    assert taken(house[0], "--asked", "www.netflix.com", "--device", HOST_MAC, "--service", "dns") == mine
    assert taken(house[0], "--asked", "www.netflix.com", "--service", "https") == []


def inward(at: int) -> list[Frame]:
    """Somebody from outside, whom nobody asked, talks to a device of the house."""
    there, here = "198.51.100.9", "192.168.1.10"
    return [
        (at, ethernet(ipv4(udp(b"?" * 40, 50_000, 9_000), there, here), dst=HOST_MAC)),
        (at + 1000, ethernet(ipv4(udp(b"!" * 40, 9_000, 50_000), here, there), src=HOST_MAC)),
    ]


def test_who_comes_from_outside_counts_with_its_own_address(tmp_path: Path) -> None:
    known = lookup(START_US, "www.example.com", "203.0.113.1")
    path = write(tmp_path / "day.pcap", known, talk(START_US + HOUR, server="203.0.113.1"), inward(START_US + 2 * HOUR))
    database = imported(tmp_path / "home.db", path)
    with closing(read_database(database)) as db:
        for column, word in (("organisation", "company"), ("country", "country"), ("party", "party")):
            for (value,), counted in by(db, column, "destinations").items():
                assert count(db, **{word: value}) == counted
        assert count(db, party="unknown", protocol="udp")[0] == 2


def test_what_was_never_met_is_said_and_what_never_came_is_empty(house: tuple[Path, Path]) -> None:
    with closing(read_database(house[0])) as db:
        assert count(db, country="FR") == (0, 0)
        assert count(db, service="bittorrent") == (0, 0)
        assert count(db, ip_version="6") == (0, 0)
        assert count(db, protocol="0x88e1") == (0, 0)
        assert count(db, country="IE", ip_version="6") == (0, 0)
        for wrong in ({"company": "Nobody Inc"}, {"destination": "nowhere.example"}, {"asked": "nowhere.example"}):
            with pytest.raises(NothingMetError, match=r"nowhere\.example|Nobody Inc"):
                understand(db, 1, _wanted(**wrong))


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("country", "Atlantis"), ("country", ""), ("party", "local"), ("party", "fourth"), ("ip_version", "5"),
        ("encrypted", "perhaps"), ("scope", "moon"), ("service", "gopher"), ("protocol", "0x88zz"),
        ("protocol", "ip-x"), ("protocol", "ip-256"), ("application", "Nothing"),
        ("network", "Google"), ("network", "AS99999999999"), ("purpose", "fun"), ("port", "65536"), ("port", "https"),
        ("address", "example.com"), ("hours", "25-6"),
    ],
)  # fmt: skip
def test_words_that_cannot_be_are_refused(house: tuple[Path, Path], word: str, text: str) -> None:
    with closing(read_database(house[0])) as db, pytest.raises(NotMeantError) as caught:
        understand(db, 1, _wanted(**{word: text}))
    assert caught.value.word == word


def test_countries_by_code_or_name() -> None:
    assert (country_code("de"), country_code(" Germany "), country_code("-")) == ("DE", "DE", None)


def test_names_without_their_details_are_missing_and_versions_are_not(tmp_path: Path) -> None:
    """Of a capture of which only sums are kept, what packets themselves tell is found all the same."""
    path = write(tmp_path / "day.pcap", talk(START_US, "www.example.com", server="203.0.113.1"))
    database = imported(tmp_path / "home.db", path)
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("DELETE FROM flow")
        db.execute("UPDATE capture SET state = NULL")
    every = packets_of(path)
    assert taken(database, "--ip-version", "4") == every
    assert taken(database, "--protocol", "tcp") == every
    assert taken(database, "--service", "https", codes=(1,)) == []
    assert taken(database, "--country", "-", codes=(1,)) == []
