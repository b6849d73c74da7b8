"""Encrypted hellos, from bytes to the report: whose name they show, who was meant, and what is said where none can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.report.coverage import report
from tests.daemon.decode.hellos import client_hello, records, sni, versions
from tests.daemon.ingest.houses import CDN, MINUTE, OTHER, any_order, home, names, rows, why
from tests.daemon.ingest.scenes import HOUR, SECOND, TABLET, TABLET_MAC, Frame, lookup, write
from tests.support import packets as p
from tests.support.answers import ech_config, told
from tests.support.asking import asked
from tests.support.importing import imported
from tests.support.packets import HOST, START_US
from tests.support.veiled import FRONT, veiled

HIDDEN = "secret.example"
RECORD = f"1 . ipv4hint={CDN} ech={ech_config(FRONT)}"


def configured(at: int, name: str = HIDDEN, record: str = RECORD) -> list[Frame]:
    """The device is told that a service has an ECH configuration."""
    return told(at, name, (name, "HTTPS", record), kind="HTTPS")


def hellos(database: Path) -> list[tuple[str, str, int]]:
    return rows(database, "SELECT name, ech, cover FROM hellos ORDER BY seen_us")


def test_service_that_the_device_was_told_of_is_meant_and_not_its_front(tmp_path: Path) -> None:
    database = home(tmp_path, configured(START_US), veiled(START_US + SECOND))
    assert names(database) == [(HIDDEN, "dns")]
    assert hellos(database) == [(FRONT, "ech", 1)]
    assert rows(database, "SELECT domain, name_source FROM destinations WHERE domain IS NOT NULL") == [(HIDDEN, "dns")]
    assert rows(database, "SELECT DISTINCT domain FROM traffic WHERE protocol = 'tcp'") == [(HIDDEN,)]


def test_service_behind_the_front_wins_over_a_newer_neighbour_at_the_same_address(tmp_path: Path) -> None:
    database = home(
        tmp_path, configured(START_US), lookup(START_US + SECOND, "neighbour.example", CDN), veiled(START_US + MINUTE)
    )
    assert names(database) == [(HIDDEN, "dns")]


def test_answer_for_the_address_names_it_where_the_record_had_no_hint(tmp_path: Path) -> None:
    plain = f"1 . ech={ech_config(FRONT)}"
    database = home(
        tmp_path,
        configured(START_US, record=plain),
        lookup(START_US + SECOND, HIDDEN, CDN),
        veiled(START_US + 2 * SECOND),
        veiled(START_US + MINUTE, server=OTHER, port=40001),  # nobody was told this address
    )
    assert names(database) == [(HIDDEN, "dns"), (None, None)]
    assert why(database) == [(OTHER, "ech", "unknown", None)]


def test_grease_beside_the_true_name(tmp_path: Path) -> None:
    """Browsers send the extension to servers whose key they do not know; then the name is what it says."""
    database = home(tmp_path, lookup(START_US, "other.example", CDN), veiled(START_US + SECOND, "shop.example"))
    assert names(database) == [("shop.example", "tls")]
    assert hellos(database) == [("shop.example", "ech", 0)]


def test_front_that_the_device_had_asked_for_is_the_true_name(tmp_path: Path) -> None:
    database = home(
        tmp_path, configured(START_US), lookup(START_US + SECOND, FRONT, CDN), veiled(START_US + 2 * SECOND)
    )
    assert names(database) == [(FRONT, "tls")]


def test_what_another_device_was_told_is_no_evidence(tmp_path: Path) -> None:
    database = home(tmp_path, configured(START_US), veiled(START_US + SECOND, client=TABLET, mac=TABLET_MAC))
    assert names(database) == [(FRONT, "tls")]


def test_configuration_that_ran_out_is_no_evidence(tmp_path: Path) -> None:
    database = home(tmp_path, configured(START_US), veiled(START_US + HOUR))
    assert names(database) == [(FRONT, "tls")]


@pytest.mark.parametrize("neighbour", [False, True])
def test_front_of_many_names_nobody_and_coverage_says_why(tmp_path: Path, neighbour: bool) -> None:
    """The public name of a whole content network, from a device that asks its resolver in secret, as browsers do."""
    scenes = [veiled(START_US + SECOND, "cloudflare-ech.com")]
    if neighbour:  # by somebody else in the house: half the web is at that address
        scenes.append(lookup(START_US, "neighbour.example", CDN, client=TABLET, mac=TABLET_MAC))
    database = home(tmp_path, *scenes)
    assert names(database) == [(None, None)]
    assert why(database) == [(CDN, "ech", "unknown", None)]
    assert hellos(database) == [("cloudflare-ech.com", "ech", 1)]
    with asked(database, START_US, START_US + HOUR) as scope:
        found = report(scope)
    assert ("no", "ech") in [row[1:3] for row in found.rows]
    assert "the handshake hides its name (encrypted hello)" in found.sentences[0]


def test_same_name_without_an_encrypted_part_is_what_it_says(tmp_path: Path) -> None:
    plain = records(client_hello(sni(b"cloudflare-ech.com") + versions(0x0304)))
    talk = p.Conversation(client=HOST, server=CDN, start_us=START_US).open().send(plain).reply(b"y" * 90).close()
    assert names(home(tmp_path, talk.frames)) == [("cloudflare-ech.com", "tls")]


def test_later_part_in_the_next_file_takes_the_true_name_in_any_order(tmp_path: Path) -> None:
    whole = veiled(START_US + SECOND, close=False, gap_us=10 * SECOND)
    unknown = veiled(START_US + SECOND, "cloudflare-ech.com", server=OTHER, port=40001, close=False, gap_us=10 * SECOND)
    paths = [
        write(tmp_path / "2026-01-01_00.00.00_wlan0.pcap", configured(START_US), whole[:4], unknown[:4]),
        write(tmp_path / "2026-01-02_00.00.00_wlan0.pcap", whole[4:], unknown[4:]),
    ]
    database = any_order(tmp_path, *paths)
    found = rows(
        database,
        "SELECT server_name, name_source FROM flows WHERE protocol = 'tcp' ORDER BY server_address, first_seen_us",
    )
    assert found == [(None, None), (None, None), (HIDDEN, "dns"), (HIDDEN, "continued")]
    assert {row[:2] for row in why(database)} == {(OTHER, "ech")}


def test_configuration_in_a_capture_that_comes_later_changes_the_judgement(tmp_path: Path) -> None:
    answer = write(tmp_path / "a" / "answer.pcap", configured(START_US))
    talk = write(tmp_path / "b" / "talk.pcap", veiled(START_US + SECOND))
    database = imported(tmp_path / "h.db", talk)
    assert names(database) == [(FRONT, "tls")]
    imported(database, answer)
    assert names(database) == [(HIDDEN, "dns")]
    assert rows(database, "SELECT domain FROM destinations WHERE domain IS NOT NULL") == [(HIDDEN,)]
