"""What Prometheus is told equals what was recorded, and names nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import evening, write
from tests.support.dashboard import client
from tests.support.importing import imported
from web.options import ServiceState

SERVICES = (
    ServiceState(
        "capture",
        running=True,
        state="capturing",
        sentence="",
        silent_seconds=1.5,
        numbers={"received": 12, "kernel_drops": 3, "interface": "wlan0", "synced": True},
    ),
    ServiceState("ingest", running=False, state="stopped", sentence="", silent_seconds=99.0, numbers={"lag_s": 2.5}),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metrics")
    return imported(folder / "h.db", write(folder / "day.pcap", evening()))


def scraped(browser: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    with browser:
        answer = browser.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_numbers_are_those_of_the_frames_that_were_written(database: Path) -> None:
    frames = evening()
    last_us = max(at for at, _ in frames)
    found = scraped(client(database, services=lambda: SERVICES, now_us=lambda: last_us + 90_000_000))
    home = (("site", "home"),)
    assert found["homeport_captured_packets_total", home] == len(frames)
    assert found["homeport_captured_bytes_total", home] == sum(len(frame) for _, frame in frames)
    assert found["homeport_newest_packet_age_seconds", home] == 90
    assert found["homeport_devices", home] >= 2
    today = sum(value for (name, _), value in found.items() if name == "homeport_today_packets")
    assert today == len(frames), "all on one day"
    parties = sum(value for (name, _), value in found.items() if name == "homeport_today_party_bytes")
    internet = sum(
        value
        for (name, labels), value in found.items()
        if name == "homeport_today_bytes" and ("scope", "internet") in labels
    )
    assert parties == internet > 0


def test_services_are_told_with_the_numbers_that_are_numbers(database: Path) -> None:
    found = scraped(client(database, services=lambda: SERVICES))
    assert found["homeport_service_running", (("service", "capture"),)] == 1
    assert found["homeport_service_running", (("service", "ingest"),)] == 0
    assert found["homeport_service_silent_seconds", (("service", "ingest"),)] == 99
    assert found["homeport_service_kernel_drops", (("service", "capture"),)] == 3
    assert found["homeport_service_lag_s", (("service", "ingest"),)] == 2.5
    assert not [name for name, _ in found if "interface" in name and "drops" not in name]


def test_no_series_names_a_device_or_a_destination(database: Path) -> None:
    labels = {pair for _, pairs in scraped(client(database)) for pair in pairs}
    assert {name for name, _ in labels} <= {"site", "scope", "direction", "party", "version", "service"}
    assert not [value for _, value in labels if "example" in value or ":" in value or "laptop" in value]


def test_a_box_that_has_captured_nothing_yet_tells_of_its_services(tmp_path: Path) -> None:
    found = scraped(client(tmp_path / "absent.db", services=lambda: SERVICES))
    assert found["homeport_service_received", (("service", "capture"),)] == 12
    assert not [name for name, _ in found if name.startswith("homeport_captured")]
