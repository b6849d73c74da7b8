"""Hundreds of payloads go through real packets into every page, CSV file and answer of the API, and none of them runs.

Once read by a parser, which finds what no template has written, and once shown by a browser, which would run it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, sync_playwright

from tests.support.crawl import Found, crawl, faults, kind_of
from tests.support.dashboard import client, parsed
from tests.support.hostile_home import hostile_home, marks
from tests.support.payloads import EVALUATED, payloads
from web.app import create_app
from web.options import Options

CHROMIUM = "/usr/bin/chromium"
_MOST = {"/devices/*": 28, "/devices/*/names": 8, "/reports/*": 50, "/reports/*.csv": 50}  # pages walked; others 6
_MARK = re.compile(r"q\d+z")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
"--disable-sync",
          "--no-first-run", "--disable-dev-shm-usage")  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_home(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def answers(database: Path) -> dict[str, Found]:
    """By address: all that a walk through everything comes to, and the reports once more as the API tells them."""
    with client(database) as browser:
        found = {each.address: each for each in crawl(browser, lambda kind: _MOST.get(kind, 6))}
        for address in [f"/api/v1{address}" for address in found if re.fullmatch(r"/reports/\w+", address)]:
            answer = browser.get(address)
            assert answer.status_code == 200, address
            found[address] = Found(address, answer.headers["content-type"], answer.text, None)
    return found


def test_there_are_enough_of_them_and_they_reach_the_pages(answers: dict[str, Found]) -> None:
    assert len({payload.octets for payload in payloads()}) >= 500
    wanted, on_pages, elsewhere = set(marks()), set[str](), set[str]()
    for each in answers.values():
        (on_pages if each.tree else elsewhere).update(_MARK.findall(each.text))
    assert len(wanted & on_pages) >= 500, f"{len(wanted & on_pages)} of them are on pages"
    assert len(wanted & elsewhere) >= 300, f"{len(wanted & elsewhere)} of them are in CSV files or told by the API"
    assert len({kind_of(address) for address in answers}) > 12


def test_no_page_has_an_element_or_attribute_that_no_template_wrote(answers: dict[str, Found]) -> None:
    wrong = {each.address: faults(each.tree, each.text) for each in answers.values() if each.tree}
    assert {address: found[:5] for address, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    "brought",
    [
        "<img src=/x onerror=alert(1)>", "<b onclick='x'>a</b>", "<marquee>a</marquee>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='//evil.example'>a</a>", "<p style='x'>a</p>", "<script>alert(1)</script>", "<p>a\u202eb</p>",
        "<p>\x1b[31m</p>",
        "<form method='post' action='/logout'></form>", "<script type='application/json'>{\"a\": \"<!--\"}</script>",
    ],
)  # fmt: skip
def test_the_parser_would_find_one(brought: str) -> None:
    assert faults(parsed(brought), brought)


def test_every_link_leads_somewhere(answers: dict[str, Found]) -> None:
    assert [each.address for each in answers.values() if each.status == 404] == []


def test_no_template_engine_computes_what_a_device_says(answers: dict[str, Found]) -> None:
    assert [address for address, each in answers.items() if EVALUATED in each.text] == []


def test_no_cell_of_a_csv_file_is_a_formula(answers: dict[str, Found]) -> None:
    files = {address: each.text for address, each in answers.items() if each.kind.startswith("text/csv")}
    assert len(files) >= 4
    for address, text in files.items():
        for row in csv.reader(io.StringIO(text, newline="")):
            wrong = [cell for cell in row if cell.startswith(_FORMULA) and not _number(cell)]
            assert not wrong, f"{address}: {wrong[:3]}"


def test_the_api_answers_json_whatever_it_says(answers: dict[str, Found]) -> None:
    told = [each for address, each in answers.items() if address.startswith("/api/")]
    assert told
    for each in told:
        assert each.kind == "application/json", each.address
        json.loads(each.text)


@pytest.mark.skipif(not shutil.which(CHROMIUM), reason=f"there is no {CHROMIUM}: nothing shows whether a payload runs")
def test_none_of_them_runs_in_a_browser(database: Path, answers: dict[str, Found]) -> None:
    addresses = _few_of_each([address for address, each in answers.items() if each.tree and each.status == 200])
    complaints: list[str] = []
    with (
        serving(database) as base,
        sync_playwright() as engine,
        closing(engine.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))) as browser,
    ):
        page = browser.new_page()
        page.set_default_timeout(120_000)  # a machine that is busy with other tests is no fault of a page
        _listen(page, base, complaints)
        for address in addresses:
            page.goto(base + address, wait_until="load")
            assert page.evaluate("document.querySelectorAll('main').length") == 1, address
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found = list(complaints)
        with page.expect_console_message():  # that silence means something: the policy speaks when there is a reason to
            page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/x onerror=alert(1)>')")
    assert len(addresses) > 15
    assert found == []
    assert complaints


def _listen(page: Page, base: str, complaints: list[str]) -> None:
    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") or "Content Security Policy" in message.text:
            complaints.append(f"{page.url}: console: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith((base, "data:image/")):
            complaints.append(f"{page.url}: asked for {request.url}")

    def spoken(dialog: Dialog) -> None:
        complaints.append(f"{page.url}: dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", spoken)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: error: {error}"))
    page.on("console", console)
    page.on("request", asked)


@contextmanager
def serving(database: Path) -> Iterator[str]:
    """The application behind a real server; where it is."""
    options = Options(database=database, owner=database.with_name("owner.db"), open=True, version="0")
    server = uvicorn.Server(uvicorn.Config(create_app(options), log_level="error", lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            limit = time.monotonic() + 30
            while not server.started and time.monotonic() < limit:
                time.sleep(0.02)
            assert server.started
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


def _few_of_each(addresses: list[str]) -> list[str]:
    """Of each kind of page the first, of single devices the first five."""
    chosen: dict[str, list[str]] = {}
    for address in addresses:
        chosen.setdefault(kind_of(address), []).append(address)
    return [address for kind, found in chosen.items() for address in found[: 5 if kind == "/devices/*" else 1]]


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
