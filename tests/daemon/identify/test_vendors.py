from __future__ import annotations

import pytest

from daemon.identify.vendors import BRANDS, PARTS, brand_of, judge, plain


@pytest.mark.parametrize(
    ("registered", "brand"),
    [
        ("Signify B.V.", "Philips Hue"),
        ("Philips Lighting BV", "Philips Hue"),
        ("Philips", "Philips"),
        ("Physical Graph Corporation", "SmartThings"),
        ("Nest Labs Inc.", "Google Nest"),
        ("Nestle Research", "Nestle Research"),
        ("Hangzhou Hikvision Digital Technology Co.,Ltd.", "Hikvision"),
        ("Hewlett Packard Enterprise", "HPE"),
        ("Hewlett Packard", "HP"),
        ("Withings", "Withings"),
        ("Neato Robotics, Inc.", "Neato Robotics"),
        # makers of parts, and factories, are no brands
        ("Espressif Inc.", None),
        ("Murata Manufacturing Co., Ltd.", None),
        ("Samsung Electro-Mechanics(Thailand)", None),
        ("Tuya Smart Inc.", None),
        ("Texas Instruments", None),
        ("Shenzhen Bilian Electronic Co.，Ltd", None),  # noqa: RUF001  # a full-width comma, as the registry has it
        ("", None),
    ],
)
def test_a_registered_name_and_its_brand(registered: str, brand: str | None) -> None:
    assert judge(registered) == (registered, brand)


def test_a_name_without_its_legal_form() -> None:
    assert plain("Foo Robotics Co., Ltd.") == "Foo Robotics"
    assert plain("Foo GmbH & Co. KG") == "Foo"
    assert plain("Inc.") == "Inc."


def test_spellings_of_one_brand() -> None:
    assert brand_of("TP-LINK") == brand_of("Tp-Link Technologies Co.,Ltd.")
    assert brand_of("signify") == brand_of("Philips Hue") != brand_of("Philips")
    assert brand_of("Roku") == "Roku"


def test_no_name_is_both_a_brand_and_a_maker_of_parts() -> None:
    assert set(BRANDS) & PARTS == set()
    assert all(start == start.lower() and start.strip() == start for start in (*BRANDS, *PARTS))
