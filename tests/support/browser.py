"""A real browser in front of a real `homeport serve`, for tests of the pages as people get them.

Rule 1: the browser is the system's chromium, driven by Playwright, which fetches none; without it tests skip aloud.
Rule 2: whatever a page does that it must not (a console error, a refused script, a request to another host) is kept in
        `Walk.wrong`, and a test that does not look at it is no test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

from appliance.config import VARIABLE
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: .ci/tools test installs it")
# Without these it speaks to its maker's hosts at every start.
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-default-browser-check",
)  # fmt: skip
_READY = re.compile(r"(http://\S+/)")
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@contextmanager
def served(database: Path, *flags: str, settings: Path | None = None) -> Iterator[str]:
    """`homeport serve` on a free port of this machine; its address. It ends with the block, within seconds.

    `settings`: a configuration file, for what has no flag.
    """
    command = [*COMMAND, "serve", "--db", str(database), "--port", "0", *flags]
    with (
        tempfile.TemporaryFile("ab+") as said,  # not a pipe: who fills one that nobody reads stands still
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(NO_SETTINGS if settings is None else {VARIABLE: str(settings)})},
            stdout=subprocess.DEVNULL,
            stderr=said,
        ) as process,
    ):
        try:
            yield _address(process, said.fileno())
        finally:
            process.terminate()
            process.wait(timeout=30)


def _address(process: subprocess.Popen[bytes], said: int) -> str:
    """Where it says that it is, once it does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        told = os.pread(said, 1 << 16, 0).decode(errors="replace")
        found = _READY.search(told)
        if found:
            return found[1]
        if ended:
            break
        time.sleep(0.05)
    raise AssertionError(f"homeport serve did not start: {told}")


@contextmanager
def browser() -> Iterator[Browser]:
    """A chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield started
        finally:
            started.close()


@dataclass
class Walk:
    """One person's browser at one size, and what went wrong on its way."""

    page: Page
    address: str
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the dashboard, which must come."""
        answer = self.page.goto(self.address.rstrip("/") + path, wait_until="load")
        if answer is None or answer.status >= 400:
            self.wrong.append(f"{path}: {answer.status if answer else 'no answer'}")
        if self.page.locator("[hx-trigger~=load]").count():
            self.page.wait_for_load_state("networkidle")  # parts of it come later
        return self.page

    def fits(self) -> bool:
        """Whether nothing sticks out at the side."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@contextmanager
def walking(
    started: Browser, address: str, size: dict[str, int], scheme: str = "light", *, script: bool = True
) -> Iterator[Walk]:
    """A fresh browser context: no cookies, this width, this theme, with or without JavaScript."""
    context = started.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    walk = Walk(context.new_page(), address)
    host = urlsplit(address).netloc

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            walk.wrong.append(f"{walk.page.url}: console {message.type}: {message.text}")

    def asked(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
            walk.wrong.append(f"{walk.page.url}: asked {request.url}")

    def opened(dialog: Dialog) -> None:
        walk.wrong.append(f"{walk.page.url}: dialog {dialog.message}")
        dialog.dismiss()

    walk.page.on("console", heard)
    walk.page.on("pageerror", lambda error: walk.wrong.append(f"{walk.page.url}: {error}"))
    walk.page.on("dialog", opened)
    walk.page.on("request", asked)
    try:
        yield walk
    finally:
        context.close()
