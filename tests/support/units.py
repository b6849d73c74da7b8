"""The files of `deploy/systemd`, read as text."""

from __future__ import annotations

import configparser

from tests.support.container import ROOT

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))


def settings(unit: str) -> dict[str, str]:
    """The [Service] section; of a key that stands there twice, the last value."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of units keep their case
    parser.read(UNITS / unit)
    return dict(parser["Service"])
