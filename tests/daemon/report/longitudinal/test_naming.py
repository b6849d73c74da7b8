from __future__ import annotations

import pytest

from daemon.report.longitudinal.naming import organisation_name


@pytest.mark.parametrize(
    ("name", "kind", "aliases", "called"),
    [
        ("Sonos", "maker", ["Sonos, Inc.", "Play:1"], "Sonos Inc"),
        ("Sonos", "maker", ["sonos inc"], "Sonos inc"),
        ("Sonos", "maker", ["Sonos Labs", "Sonos Radio Inc"], "Sonos"),  # other companies, other words
        ("Signify", "maker", ["Philips Hue", "Signify Netherlands B.V."], "Signify"),
        ("Amazon", "cloud", ["Amazon.com"], "Amazon AWS"),
        ("Amazon", "cdn", [], "Amazon AWS"),
        ("Amazon", "maker", ["Amazon Technologies Inc."], "Amazon"),
        ("Google", "cdn", [], "Google"),
        ("Google", "cloud", [], "Google Cloud"),
        ("Acme", None, ["Acme GmbH & Co. KG", "Acme GmbH"], "Acme GmbH"),
        ("Acme", None, ["Acme", ""], "Acme"),
        ("Acme Home", None, ["Acme Inc", "Acme Home Ltd."], "Acme Home Ltd"),
    ],
)
def test_what_an_organisation_is_called(name: str, kind: str | None, aliases: list[str], called: str) -> None:
    assert organisation_name(name, kind, aliases) == called
