"""The numbers on pages, computed anew by tshark from the captures of the sample home, of which most packets were cut.

Rule: tshark says how long each frame was on the wire (frame.len) and whose it was; nothing here asks our database.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.support.dashboard import Element, client, read, rows
from tests.support.sample_home import SampleHome, sample_home
from web.numbers import count, size

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is missing: .ci/tools test installs it")

ALL = "range=30d"
SENSOR = "24:6f:28:b1:5d:60"  # asks its server far too often
TV = "8c:79:f5:a0:6e:38"
FIELDS = (
    "frame.len",
    "eth.src",
    "eth.dst",
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "tcp.flags",
    "tcp.dstport",
    "ip.proto",
)
OURS = [
    ip_network(each)
    for each in ("192.168.50.0/24", "2001:db8:2a00::/40", "fe80::/10", "ff00::/8", "224.0.0.0/4", "255.255.255.255/32",
                 "0.0.0.0/32", "::/128")
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as tshark reads it; no addresses where it has no IP."""

    file: str
    size: int  # on the wire
    source: str
    target: str
    sender: str
    receiver: str
    flags: int
    port: str  # to which TCP goes
    control: bool  # ICMP, which Homeport sets apart: it carries nothing for anybody

    @property
    def outside(self) -> bool:
        """Whether it goes to or comes from the internet."""
        return not self.control and (_foreign(self.sender) or _foreign(self.receiver))


@cache
def _foreign(address: str) -> bool:
    return bool(address) and not any(ip_address(address) in net for net in OURS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> SampleHome:
    return sample_home(tmp_path_factory.mktemp("numbers"), newest=2)


@pytest.fixture(scope="module")
def frames(home: SampleHome) -> list[Frame]:
    return [frame for path in sorted(home.captures.glob("*.pcap")) for frame in _read(path)]


@pytest.fixture
def browser(home: SampleHome) -> Iterator[TestClient]:
    with client(home.database, captures=home.captures) as browser:
        yield browser


def test_sample_is_worth_counting(frames: list[Frame]) -> None:
    assert len(frames) > 10_000
    assert any(frame.outside for frame in frames)


def test_overview_says_how_much_went_to_the_internet(browser: TestClient, frames: list[Frame]) -> None:
    whole = sum(frame.size for frame in frames if frame.outside)
    assert f"exchanged {size(whole)} with" in _lead(read(browser, f"/?{ALL}"))


def test_every_device_has_its_own_frames(browser: TestClient, frames: list[Frame]) -> None:
    sent, received = Counter[str](), Counter[str]()
    for frame in frames:
        sent[frame.source] += frame.size
        received[frame.target] += frame.size
    page = read(browser, f"/devices?{ALL}&shares=1")
    shown = {
        row.one("a", class_="device-name").attributes["href"].partition("?")[0].removeprefix("/devices/"): [
            cell.text for cell in row.all("td", class_="number")
        ]
        for row in page.one("table", class_="devices").one("tbody").all("tr")
    }
    assert len(shown) > 10
    assert {mac: [size(sent[mac]), size(received[mac])] for mac in shown} == shown


def test_one_device(browser: TestClient, frames: list[Frame]) -> None:
    own = [frame for frame in frames if TV in (frame.source, frame.target)]
    figures = [each.text for each in read(browser, f"/devices/{TV}?{ALL}").all("span", class_="figure")]
    assert figures == [
        size(sum(frame.size for frame in own if frame.source == TV)),
        size(sum(frame.size for frame in own if frame.target == TV)),
    ]


def test_network_moves_every_byte(browser: TestClient, frames: list[Frame]) -> None:
    page = read(browser, f"/network?{ALL}")
    assert f"{size(sum(frame.size for frame in frames))} moved" in _lead(page)
    outside = [frame for frame in frames if frame.outside]
    found = next(
        row for number in range(9) for row in rows(page, number) if row.get("Where") == "To and from the internet"
    )
    assert (found["Data"], found["Packets"]) == (size(sum(frame.size for frame in outside)), count(len(outside)))


def test_destinations_countries_and_months_have_all_of_it(browser: TestClient, frames: list[Frame]) -> None:
    outside = [frame for frame in frames if frame.outside]
    whole = sum(frame.size for frame in outside)
    for report, up, down in (("companies", "bytes_up", "bytes_down"), ("countries", "bytes_up", "bytes_down")):
        found = browser.get(f"/api/v1/reports/{report}?{ALL}").json()["rows"]
        assert sum(row[up] + row[down] for row in found) == whole, report
    assert size(whole) in _lead(read(browser, "/months"))


def test_finding_counts_its_connections(browser: TestClient, frames: list[Frame]) -> None:
    tries = Counter(
        (frame.receiver, frame.port)
        for frame in frames
        if frame.source == SENSOR and frame.flags & 0x12 == 0x02 and frame.outside
    )
    (_, opened), *_ = tries.most_common(1)
    assert opened > 1000
    address = f"/findings?{ALL}&device={SENSOR}"
    read(browser, address)
    browser.app.state.looking.wait()  # type: ignore[attr-defined]  # the application is ours; it looks beside the page
    page = read(browser, address)
    told = [each.text for each in page.all("li", class_="finding") if "far more requests" in each.text]
    assert len(told) == 1
    assert f"{count(opened)} times" in told[0]


def test_captures_hold_what_lies_in_the_files(browser: TestClient, frames: list[Frame], home: SampleHome) -> None:
    page = read(browser, f"/captures?{ALL}")
    packets = Counter(frame.file for frame in frames)
    assert f"{count(len(frames))} packets, {size(sum(frame.size for frame in frames))}, in" in _lead(page)
    table = next(number for number, each in enumerate(page.all("table")) if each.one("caption").text == "Capture files")
    shown = {row["File"]: (row["Packets"], row["Size"]) for row in rows(page, table)}
    assert shown == {
        path.name: (count(packets[path.name]), size(path.stat().st_size)) for path in home.captures.glob("*.pcap")
    }


def _lead(page: Element) -> str:
    return page.one("p", class_="lead").text


def _read(path: Path) -> Iterator[Frame]:
    command = [
        "tshark",
        "-n",
        "-r",
        str(path),
        "-o",
        "tcp.desegment_tcp_streams:FALSE",
        "-T",
        "fields",
        "-E",
        "occurrence=f",
    ]
    done = subprocess.run(
        [*command, *(word for field in FIELDS for word in ("-e", field))], capture_output=True, text=True, check=True
    )
    for line in done.stdout.splitlines():
        length, source, target, from4, from6, to4, to6, flags, port, protocol = line.split("\t")
        yield Frame(
            path.name,
            int(length),
            source,
            target,
            from4 or from6,
            to4 or to6,
            int(flags or "0", 16),
            port,
            protocol == "1",
        )
