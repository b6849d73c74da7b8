"""The page of a device: numbers of the capture, why, when, at night, and what its owner says of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.ingest.wishes import Wishes
from daemon.report.registry import REPORTS
from tests.daemon.ingest.scenes import TABLET, TABLET_MAC, lookup, talk, write
from tests.support.counted import outside, packets, received, sent
from tests.support.dashboard import Element, client, links, post, read, rows
from tests.support.importing import imported
from tests.support.threedays import LAPTOP_MAC, MIDNIGHT, frames, home
from web.numbers import size

RANGE = "range=2023-11-15..2023-11-17"
PAGE = f"/devices/{TABLET_MAC}"
Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="module")
def browser(three_days: Home) -> TestClient:
    """For whoever only reads: what is said here would be heard by other tests."""
    return client(three_days[0])


@pytest.fixture
def speaking(three_days: Home, tmp_path: Path) -> TestClient:
    return client(three_days[0], owner=tmp_path / "owner.db")


def _section(page: Element, name: str) -> Element:
    return page.one("section", id=name)


def _table(page: Element, name: str) -> list[dict[str, str]]:
    return rows(_section(page, name))


def test_numbers_are_those_of_the_capture(browser: TestClient, three_days: Home) -> None:
    seen = packets(three_days[1])
    page = read(browser, f"/devices/{LAPTOP_MAC}?{RANGE}")
    figures = [each.text for each in page.all("span", class_="figure")]
    assert figures == [size(sent(seen, LAPTOP_MAC)), size(received(seen, LAPTOP_MAC))]
    places = {row["Destination"].split()[0]: row for row in _table(page, "destinations")}
    for place, server in (("www.example.com", "203.0.113.5"), ("198.51.100.7", "198.51.100.7")):
        assert places[place]["Sent"] == size(sum(each.size for each in seen if each.receiver == server))
        assert places[place]["Received"] == size(sum(each.size for each in seen if each.sender == server))


def test_every_destination_says_why_and_how_to_get_its_packets(browser: TestClient) -> None:
    page = read(browser, f"/devices/{LAPTOP_MAC}?{RANGE}")
    named, unnamed = _section(page, "destinations").all("details", class_="why")
    assert "named it in clear text when it opened the encrypted connection (TLS)" in named.text
    assert "nobody in the house asked for a name" in unnamed.text
    assert f"homeport pcap --device {LAPTOP_MAC} --name www.example.com --since 2023-11-15" in named.text
    assert "3 connections" in named.text


def test_evidence_is_told_in_words_with_the_raw_keys_beside_them(browser: TestClient) -> None:
    about = _section(read(browser, f"{PAGE}?{RANGE}"), "about").text
    assert "it asked for an address under the name “bobs-tablet” (DHCP)" in about
    assert "dhcp: it asked" not in about
    assert "its name hostname when it asked for an address dhcp" in about
    key = browser.get(f"/api/v1/devices/{TABLET_MAC}").json()
    assert ("name", "dhcp") in [(each["about"], each["source"]) for each in key["evidence"]]


def test_hours_nights_and_days(browser: TestClient, three_days: Home) -> None:
    seen = packets(three_days[1])
    page = read(browser, f"{PAGE}?{RANGE}")
    time = _section(page, "time").text
    assert "bobs-tablet is on when it is used: it talked to the internet in 21 of 72 hours" in time
    night = sum(
        each.size for each in seen
        if TABLET_MAC in (each.source, each.target) and outside(each) and (each.hour >= 22 or each.hour < 6)
    )  # fmt: skip
    assert f"exchanged {size(night)}" in _section(page, "night").text
    days = _section(page, "time").all("table")[-1]
    assert [row[0].text for row in (each.all("td") for each in days.one("tbody").all("tr"))] == [
        "Fri 17 Nov", "Thu 16 Nov", "Wed 15 Nov",
    ]  # fmt: skip
    assert {row[1].text for row in (each.all("td") for each in days.one("tbody").all("tr"))} == {"7"}


def test_series_has_every_byte(browser: TestClient, three_days: Home) -> None:
    seen = packets(three_days[1])
    figure = read(browser, f"{PAGE}?{RANGE}").one("figure", class_="series")
    assert figure.all("polyline"), "without script there is a picture"
    legend = [each.text for each in figure.one("ul").all("li")]
    assert legend == [f"received {size(received(seen, TABLET_MAC))}", f"sent {size(sent(seen, TABLET_MAC))}"]


def test_how_it_talks(browser: TestClient) -> None:
    ways = _section(read(browser, f"{PAGE}?{RANGE}"), "ways").text
    for word in ("https", "dns", "dhcp", "encrypted", "IPv4"):
        assert word in ways


def test_names_it_asks_for(browser: TestClient) -> None:
    page = read(browser, f"{PAGE}/names?{RANGE}")
    assert "sync.example.net" in page.text
    assert "192.168.1.1" in page.text
    part = browser.get(f"{PAGE}/names?{RANGE}", headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert "sync.example.net" in part


def test_filtered_by_party_company_and_text(browser: TestClient) -> None:
    whole = read(browser, f"/devices/{LAPTOP_MAC}?{RANGE}")
    assert len(_table(whole, "destinations")) == 2
    some = _table(read(browser, f"/devices/{LAPTOP_MAC}?{RANGE}&q=example"), "destinations")
    assert [row["Destination"].split()[0] for row in some] == ["www.example.com"]
    assert "None." in _section(read(browser, f"/devices/{LAPTOP_MAC}?{RANGE}&party=platform"), "destinations").text
    assert "None." in _section(read(browser, f"/devices/{LAPTOP_MAC}?{RANGE}&company=Nobody"), "destinations").text


def test_pages_of_destinations(tmp_path: Path) -> None:
    many = []
    for number in range(40):
        name, server = f"host{number:02}.example.org", f"203.0.113.{100 + number}"
        many += lookup(MIDNIGHT + number * 1_000_000, name, server, port=41000 + number)
        many += talk(
            MIDNIGHT + number * 1_000_000 + 500_000, name, server=server, port=42000 + number, reply=900 + number
        )
    browser = client(imported(tmp_path / "h.db", write(tmp_path / "c.pcap", many)))
    found: list[str] = []
    for page in ("1", "2", "3"):
        found += [
            row["Destination"].split()[0]
            for row in _table(read(browser, f"/devices/{LAPTOP_MAC}?range=7d&page={page}"), "destinations")
        ]
    assert sorted(found) == [f"host{number:02}.example.org" for number in range(40)]
    assert read(browser, f"/devices/{LAPTOP_MAC}?range=7d").all("a", rel="next")
    for odd in ("0", "99", "-1", "x", "9" * 30):
        assert read(browser, f"/devices/{LAPTOP_MAC}?range=7d&page={odd}")


def test_a_name_is_there_at_once_and_can_be_undone(speaking: TestClient) -> None:
    answer = post(speaking, f"{PAGE}/say?{RANGE}", about="name", value="Bobs <b>pad</b>")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?{RANGE}#about")
    page = read(speaking, f"{PAGE}?{RANGE}")
    assert page.one("h1").text == "Bobs <b>pad</b>"
    assert "is called “Bobs <b>pad</b>”" in _section(page, "about").text
    word = _section(page, "about").one("input", name="word").attributes["value"]
    post(speaking, f"{PAGE}/undo", word=word)
    after = read(speaking, f"{PAGE}?{RANGE}")
    assert after.one("h1").text == "bobs-tablet"
    assert "undone" in _section(after, "about").text


def test_every_word_is_kept_and_an_empty_one_takes_it_back(speaking: TestClient) -> None:
    for about, value in (("room", "Kitchen"), ("owner", "Bob"), ("kind", "camera")):
        post(speaking, f"{PAGE}/say", about=about, value=value)
    tags = read(speaking, f"{PAGE}?{RANGE}").one("p", class_="device-tags").text
    assert all(word in tags for word in ("camera", "Kitchen", "Bob"))
    post(speaking, f"{PAGE}/say", about="room", value="")
    assert "Kitchen" not in read(speaking, f"{PAGE}?{RANGE}").one("p", class_="device-tags").text


@pytest.mark.parametrize(
    ("address", "fields", "says"),
    [
        ("say", {"about": "name", "value": "x" * 65}, "1 to 64 printable"),
        ("say", {"about": "name", "value": "192.168.1.1"}, "must not look like"),
        ("say", {"about": "name", "value": "ADAS-LAPTOP"}, "is called ADAS-LAPTOP already"),
        ("say", {"about": "kind", "value": "spaceship"}, "there is no kind"),
        ("say", {"about": "join", "value": "x"}, "cannot be said"),
        ("undo", {"word": "999"}, "no such word"),
        ("undo", {"word": "x"}, "no word"),
        ("split", {"station": TABLET_MAC}, "nothing to split"),
        ("split", {"station": "nonsense"}, "no such station"),
        ("join", {"other": TABLET_MAC}, "one device already"),
        ("forget", {"confirm": "something"}, "Nothing was forgotten"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    browser: TestClient, address: str, fields: dict[str, str], says: str
) -> None:
    answer = post(browser, f"{PAGE}/{address}", **fields)
    assert answer.status_code == 400
    assert says in answer.text


def test_nothing_is_changed_without_the_token_nor_by_asking(browser: TestClient) -> None:
    assert browser.post(f"{PAGE}/say", data={"about": "name", "value": "Mallory"}).status_code in (400, 403)
    assert browser.get(f"{PAGE}/say").status_code in (404, 405)
    assert read(browser, f"{PAGE}?{RANGE}").one("h1").text == "bobs-tablet"


def test_links_to_tables_lead_to_some(browser: TestClient) -> None:
    asked = links(read(browser, f"{PAGE}?{RANGE}")) | links(read(browser, f"{PAGE}/names?{RANGE}"))
    names = {path.removeprefix("/reports/").removesuffix(".csv") for path in asked if path.startswith("/reports/")}
    assert {"slots", "device-destinations", "encryption", "resolvers"} <= names <= set(REPORTS)


def test_unknown_device_is_said_to_be_so(browser: TestClient) -> None:
    assert "There is no device" in read(browser, "/devices/02:00:00:00:00:99", 404).text
    assert "There is no device" in read(browser, "/devices/%3Cscript%3E", 404).text


class Box:
    """A home of its own, whose labels follow when a page was answered, as they do where no service runs."""

    def __init__(self, folder: Path) -> None:
        self.capture = write(folder / "days.pcap", frames())
        self.database, self.owner = imported(folder / "h.db", self.capture), folder / "owner.db"
        self.asked: list[str] = []
        self.browser = client(self.database, owner=self.owner, follow=self.asked.append)

    def send(self, address: str, **fields: str) -> None:
        """A form, and what follows from it."""
        assert post(self.browser, address, **fields).status_code == 303
        known = Knowledge(owner=self.owner)
        for site in self.asked:
            Wishes(self.database, site, known).fulfil()
            relabel_site(self.database, self.owner, site, known)
        assert self.asked, "nobody was told"
        self.asked.clear()


def test_join_and_split_hold_for_the_past(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.send(f"/devices/{LAPTOP_MAC}/join", other=TABLET_MAC)
    page = read(box.browser, f"/devices/{LAPTOP_MAC}?{RANGE}")
    seen = packets(box.capture)
    both = sum(sent(seen, mac) for mac in (LAPTOP_MAC, TABLET_MAC))
    assert page.one("span", class_="figure").text == size(both)
    assert len(_table(page, "destinations")) == 3
    box.send(f"/devices/{LAPTOP_MAC}/split", station=TABLET_MAC)
    page = read(box.browser, f"/devices/{LAPTOP_MAC}?{RANGE}")
    assert page.one("span", class_="figure").text == size(sent(seen, LAPTOP_MAC))


def test_forgotten_with_its_packets_and_words(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.send(f"{PAGE}/say", about="name", value="Old pad")
    box.send(f"{PAGE}/forget", confirm="old  PAD")
    assert "There is no device" in read(box.browser, PAGE, 404).text
    assert [row["Device"].split()[0] for row in rows(read(box.browser, f"/devices?{RANGE}"))] == ["adas-laptop"]
    assert not any(TABLET_MAC in (each.source, each.target) for each in packets(box.capture))
    with closing(sqlite3.connect(box.owner)) as db:
        assert db.execute("SELECT count(*) FROM word").fetchone() == (0,)
    with closing(sqlite3.connect(box.database)) as db:
        assert db.execute("SELECT count(*) FROM endpoint WHERE address = ?", (TABLET,)).fetchone() == (0,)


def test_a_wish_to_forget_is_shown_and_can_be_stopped_before_it_is_done(speaking: TestClient) -> None:
    post(speaking, f"{PAGE}/forget", confirm="bobs-tablet")
    page = read(speaking, f"{PAGE}?{RANGE}")
    assert "is being forgotten" in _section(page, "forget").text
    word = _section(page, "forget").one("input", name="word").attributes["value"]
    post(speaking, f"{PAGE}/undo", word=word)
    assert "is being forgotten" not in read(speaking, f"{PAGE}?{RANGE}").text


@pytest.mark.parametrize("span", ["24h", "7d", "30d", "90d", "365d", "2023-11", "2023-11-16"])
def test_every_time_can_be_asked_about(browser: TestClient, span: str) -> None:
    page = read(browser, f"{PAGE}?range={span}")
    assert page.one("p", class_="lead").text.startswith("bobs-tablet")


def test_of_third_parties_those_that_watch_are_told_apart(tmp_path: Path) -> None:
    streamed, watching = ("api.netflix.com", "203.0.113.5"), ("ib.adnxs.com", "203.0.113.6")
    spoken = []
    for at, (name, server) in enumerate((streamed, watching)):
        spoken += lookup(MIDNIGHT + at * 9_000_000, name, server)
        spoken += talk(MIDNIGHT + (at * 9 + 1) * 1_000_000, name, server=server, port=40000 + at)
    capture = write(tmp_path / "c.pcap", spoken)
    page = read(client(imported(tmp_path / "h.db", capture)), f"/devices/{LAPTOP_MAC}?range=24h")
    whose = page.one("section", aria_labelledby="whose").text
    much = size(sum(each.size for each in packets(capture) if watching[1] in (each.sender, each.receiver)))
    assert f"Of third parties for advertising and tracking: {much}" in whose
