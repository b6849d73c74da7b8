"""The measurement of the first packet, on a day so small that it says nothing about speed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from appliance.sample.day import write_day
from tests.bench.window import measure, told


def test_every_question_has_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_CONFIG", "/dev/null")
    write_day(tmp_path / "day.pcap", seed=1, packets=20_000)
    found = measure(tmp_path / "day.pcap", tmp_path / "h.db")
    assert [each.question for each in found] == ["everything", "one device", "one name"]
    assert not any(math.isnan(each.cold_s) or math.isnan(each.warm_s) for each in found)
    assert found[0].size > found[1].size > found[2].size > 24
    assert json.loads(told(found, 7).splitlines()[0])["capture"] == 7
