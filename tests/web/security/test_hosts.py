"""Who calls the box by a name that is not its own was led here by a stranger's name server (DNS rebinding)."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from appliance.dashboard import host_names
from tests.support.dashboard import client

OURS = host_names(("box.example",), "kitchen-pi.lan")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("hosts")
    return client(folder / "h.db", hosts=OURS)  # open: most in need of it, because no login stands behind


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8080", "192.168.1.5:80", "10.0.0.1", "8.8.8.8", "[::1]:8080", "[fe80::1]", "[fd00::7]:80",
        "[::ffff:192.168.1.5]", "localhost", "LOCALHOST:8080", "localhost.", "homeport", "homeport.local",
        "HomePort.Local:80",
        "kitchen-pi", "kitchen-pi.local", "kitchen-pi.lan", "box.example:8080",
    ],
)  # fmt: skip
def test_addresses_and_its_own_names_pass(browser: TestClient, host: str) -> None:
    assert browser.get("/settings", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8080", "homeport.local.evil.example", "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1.nip.io", "homeport.evil", "xhomeport", "evil.example@127.0.0.1", "127.0.0.1@evil.example",
        "127.0.0.1:80:80",
        "127.0.0.1 evil.example", "evil.example#127.0.0.1", "[::1].evil.example", "[evil.example]", "[127.0.0.1]", "::1",
        "0x7f.1",
        "2130706433", "127.1", "", ":8080", "evil.example/127.0.0.1", "\\127.0.0.1", "localhost..", "localhost:99999999",
    ],
)  # fmt: skip
def test_every_other_name_is_answered_with_nothing(browser: TestClient, host: str) -> None:
    for path in ("/settings", "/healthz", "/api/v1/openapi.json", "/static/homeport.css", "/login"):
        answer = browser.get(path, headers={"host": host})
        assert answer.status_code == 421, path
        assert "This is a Homeport box" in answer.text
        assert "<" not in answer.text
        assert answer.headers["content-type"].startswith("text/plain")


def test_a_post_by_another_name_changes_nothing(browser: TestClient) -> None:
    headers = {"host": "evil.example", "origin": "http://evil.example", "sec-fetch-site": "same-origin"}
    answer = browser.post("/settings/home", data={"home.name": "theirs"}, headers=headers)
    assert answer.status_code == 421


def test_two_names_at_once_are_none(browser: TestClient) -> None:
    answer = browser.get("/settings", headers=[("host", "127.0.0.1"), ("host", "evil.example")])
    assert answer.status_code == 421
