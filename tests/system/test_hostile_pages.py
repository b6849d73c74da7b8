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

from tests.support.crawl import crawl, everything, faults, kind_of
from tests.support.dashboard import client, parsed
from tests.support.hostile_home import hostile_home, marks
from tests.support.payloads import EVALUATED, payloads
from web.app import create_app
from web.options import Options

CHROMIUM = "/usr/bin/chromium"
_MOST = {"/devices/*": 40, "/devices/*/names": 40, "/reports/*": 80, "/reports/*.csv": 80}  # pages walked; others 8
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--no-first-run", "--disable-dev-shm-usage")  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_home(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def pages(database: Path) -> dict[str, tuple[str, str]]:
    """Address -> content type and text, of a walk through everything."""
    with client(database) as browser:
        found = {address: (kind, text) for address, kind, text in crawl(browser, lambda kind: _MOST.get(kind, 8))}
        for address in [f"/api/v1{address}" for address in found if re.fullmatch(r"/reports/\w+", address)]:
            answer = browser.get(address)
            assert answer.status_code == 200, address
            found[address] = answer.headers["content-type"], answer.text
    return found


def test_there_are_enough_of_them_and_they_reach_the_pages(pages: dict[str, tuple[str, str]]) -> None:
    assert len({payload.octets for payload in payloads()}) >= 500
    shown = "\n".join(text for _, text in pages.values())
    reached = {mark for mark in marks() if mark in shown}
    assert len(reached) >= 500, f"{len(reached)} of them are shown anywhere"
    kinds = {kind_of(address) for address in pages}
    assert len(kinds) > 12, kinds


def test_no_page_has_an_element_or_attribute_that_no_template_wrote(pages: dict[str, tuple[str, str]]) -> None:
    wrong = {address: faults(text) for address, (kind, text) in pages.items() if kind.startswith("text/html")}
    assert {address: found[:5] for address, found in wrong.items() if found} == {}


def test_names_keep_their_direction_to_themselves(pages: dict[str, tuple[str, str]]) -> None:
    for address, (kind, text) in pages.items():
        if kind.startswith("text/html"):
            turned = [each.text for each in everything(parsed(text)) if each.tag == "bdi"]
            assert all(word.isprintable() for word in turned), address


def test_no_template_engine_computes_what_a_device_says(pages: dict[str, tuple[str, str]]) -> None:
    assert [address for address, (_, text) in pages.items() if EVALUATED in text] == []


def test_no_cell_of_a_csv_file_is_a_formula(pages: dict[str, tuple[str, str]]) -> None:
    files = {address: text for address, (kind, text) in pages.items() if kind.startswith("text/csv")}
    assert len(files) >= 4
    for address, text in files.items():
        for row in csv.reader(io.StringIO(text, newline="")):
            wrong = [cell for cell in row if cell.startswith(_FORMULA) and not _number(cell)]
            assert not wrong, f"{address}: {wrong[:3]}"


def test_the_api_answers_json_whatever_it_says(pages: dict[str, tuple[str, str]]) -> None:
    answers = {address: kind_text for address, kind_text in pages.items() if address.startswith("/api/")}
    assert answers
    for address, (kind, text) in answers.items():
        assert kind == "application/json", address
        json.loads(text)


@pytest.mark.skipif(not shutil.which(CHROMIUM), reason=f"there is no {CHROMIUM}: nothing shows whether a payload runs")
def test_none_of_them_runs_in_a_browser(database: Path, pages: dict[str, tuple[str, str]]) -> None:
    addresses = _few_of_each([address for address, (kind, _) in pages.items() if kind.startswith("text/html")])
    complaints: list[str] = []
    with (
        serving(database) as base,
        sync_playwright() as engine,
        closing(engine.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))) as browser,
    ):
        page = browser.new_page()
        _listen(page, base, complaints)
        for address in addresses:
            page.goto(base + address, wait_until="load")
            assert page.evaluate("document.querySelectorAll('main').length") == 1, address
            for opened in page.locator("details:not([open]) > summary").all()[:3]:
                opened.click()
    assert len(addresses) > 15
    assert complaints == []


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
    """Of each kind of page the first two, of single devices the first six."""
    chosen: dict[str, list[str]] = {}
    for address in addresses:
        chosen.setdefault(kind_of(address), []).append(address)
    return [address for kind, found in chosen.items() for address in found[: 6 if kind == "/devices/*" else 2]]


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
