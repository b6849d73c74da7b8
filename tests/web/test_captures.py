"""The captures page: what the files hold, and packets that are exactly those that were recorded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, lookup, talk, write
from tests.support.dashboard import client, read, rows
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

FAR = "203.0.113.1"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two days of two devices."""
    folder = tmp_path_factory.mktemp("captures")
    first = lookup(START_US, "www.example.com", FAR) + talk(START_US + SECOND, "www.example.com", server=FAR)
    second = talk(START_US + DAY, "api.example.org", client=TABLET, mac=TABLET_MAC, server="203.0.113.2", port=40001)
    return [write(folder / "first.pcap", first), write(folder / "<b>second.pcap", second)]


@pytest.fixture(scope="module")
def database(files: list[Path]) -> Path:
    return imported(files[0].with_name("h.db"), *files)


@pytest.fixture
def browser(database: Path) -> TestClient:
    return client(database)


def packets(octets: bytes) -> Iterator[bytes]:
    return (frame for _, frame in dpkt.pcap.Reader(io.BytesIO(octets)))


def recorded(path: Path) -> list[bytes]:
    return list(packets(path.read_bytes()))


def test_the_page_counts_what_the_files_hold(browser: TestClient, files: list[Path]) -> None:
    page = read(browser, "/captures?range=30d")
    held = sum(len(recorded(path)) for path in files)
    assert f"{held} packets" in page.one("p", class_="lead").text
    listed = {row["File"]: row["Packets"] for row in rows(page)}
    assert listed == {path.name: str(len(recorded(path))) for path in files}


def test_a_file_comes_as_it_lies_there(browser: TestClient, files: list[Path]) -> None:
    page = read(browser, "/captures?range=30d")
    links = [each.attributes["href"] for each in page.all("a") if each.text == "Download"]
    assert {browser.get(link).content for link in links} == {path.read_bytes() for path in files}


def test_packets_of_a_device_are_those_with_its_mac(browser: TestClient, files: list[Path]) -> None:
    answer = browser.get(f"/captures/packets?range=30d&device={TABLET_MAC}")
    mac = bytes.fromhex(TABLET_MAC.replace(":", ""))
    assert list(packets(answer.content)) == [frame for frame in recorded(files[1]) if mac in frame[:12]]
    assert 'filename="' in answer.headers["content-disposition"]


def test_packets_of_a_destination_and_of_a_time(browser: TestClient, files: list[Path]) -> None:
    named = list(packets(browser.get("/captures/packets?range=30d&destination=www.example.com").content))
    assert named
    assert all(FAR in (dpkt.utils.inet_to_str(ip.src), dpkt.utils.inet_to_str(ip.dst)) for ip in map(_ip, named))
    by_address = browser.get(f"/captures/packets?range=30d&destination={FAR}").content
    assert list(packets(by_address)) == named
    assert list(packets(browser.get("/captures/packets?range=24h").content)) == recorded(files[1])


def _ip(frame: bytes) -> dpkt.ip.IP:
    return dpkt.ethernet.Ethernet(frame).data


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (
            "/captures/packets?range=30d&destination=nowhere.example",
            "Nothing that is known here went to nowhere.example",
        ),
        ("/captures/packets?device=02:00:00:00:00:99", "There is no device 02:00:00:00:00:99"),
        ("/captures/packets?range=30d&since=never", "That time cannot be read"),
        ("/captures/packets?range=30d&since=2026-05-02&until=2026-05-01", "ends before it begins"),
        ("/captures/files/999", "There is no such capture file"),
        ("/captures/files/..%2F..%2Fetc%2Fpasswd", ""),
        ("/captures/files/1e3", "There is no such capture file"),
    ],
)
def test_what_is_not_there_is_said(browser: TestClient, address: str, sentence: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == 404
    assert sentence in answer.text


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "gone.pcap", talk(START_US, "www.example.com", server=FAR))
    database = imported(tmp_path / "h.db", path)
    path.unlink()
    browser = client(database)
    assert "gone" in read(browser, "/captures?range=30d").one("table").text
    assert "is not there any more" in read(browser, "/captures/files/1", 404).text
    assert "There is nothing to download" in read(browser, f"/captures/packets?device={HOST_MAC}", 404).text


def test_the_line_for_a_terminal_asks_for_the_same(browser: TestClient) -> None:
    text = read(browser, f"/captures?range=30d&device={TABLET_MAC}&destination=a%27b;rm").one("pre", id="ssh-line").text
    assert f"--device {TABLET_MAC}" in text
    assert "--destination 'a'\"'\"'b;rm'" in text
