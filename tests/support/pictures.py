"""Pictures of the dashboard for the README, made anew from the sample home: `python -m tests.support.pictures`.

Rule: a picture shows the top of a page as a browser shows it to a person; nothing is drawn into it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.browser import DESKTOP, browser, served, walking
from tests.support.importing import ROOT
from tests.support.sample_home import sample_home

TALL_PHONE = {"width": 390, "height": 844}
PICTURES = (  # file, address, size, theme, pixels from the top
    ("overview.png", "/", DESKTOP, "light", 1120),
    ("device.png", "/devices/8c:79:f5:a0:6e:38", DESKTOP, "light", 1120),
    ("map.png", "/map", DESKTOP, "dark", 1000),
    ("phone.png", "/", TALL_PHONE, "light", 1300),
)
EVERY_DAY = 10_000
_ALL_THERE = """() => !document.querySelector('[hx-trigger="load delay:1s"]')"""  # else a part is still looked for


def make(folder: Path, days: int = EVERY_DAY) -> list[Path]:
    """Write the pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory() as scratch:
        home = sample_home(Path(scratch), days)
        with served(home.database, "--open", settings=home.settings) as address, browser() as started:
            for name, path, size, theme, height in PICTURES:
                with walking(started, address, size, theme) as walk:
                    page = walk.go(path)
                    page.wait_for_load_state("networkidle")
                    page.wait_for_function(_ALL_THERE, timeout=60_000)
                    whole = page.evaluate("document.documentElement.scrollHeight")
                    area = {"x": 0, "y": 0, "width": size["width"], "height": min(height, whole)}
                    page.screenshot(path=folder / name, full_page=True, clip=area)  # type: ignore[arg-type]  # playwright wants its own TypedDict
                    if walk.wrong:
                        raise SystemExit("\n".join(walk.wrong))
                made.append(folder / name)
    return made


def main() -> None:
    """Make them, and say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--days", type=int, default=EVERY_DAY, help="only the newest days of the sample home")
    asked = parser.parse_args()
    for path in make(asked.folder, asked.days):
        sys.stdout.write(f"{path}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
