from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

import pytest

from daemon.classify.countries import COUNTRIES
from daemon.classify.regions import REGIONS, region_of


@pytest.mark.parametrize(
    ("provider", "region", "country", "city"),
    [
        ("aws", "eu-west-1", "IE", "Dublin"),
        ("aws", "ap-southeast-2", "AU", "Sydney"),
        ("azure", "westeurope", "NL", "Amsterdam"),
        ("azure", "germanywc", "DE", "Frankfurt"),
        ("azure", "germanywestcentral", "DE", "Frankfurt"),
        ("gcp", "europe-west1", "BE", "Saint-Ghislain"),
        ("oracle", "eu-frankfurt-1", "DE", "Frankfurt"),
        ("digitalocean", "GB-SLG", "GB", "London"),
        ("alibaba", "cn-hongkong", "HK", "Hong Kong"),
        ("azure", "southeastus", "US", None),
    ],
)
def test_regions_are_where_their_providers_say(provider: str, region: str, country: str, city: str | None) -> None:
    found = region_of(provider, region)
    assert found is not None
    assert (found.country, found.city) == (country, city)


@pytest.mark.parametrize(
    ("provider", "region"), [("aws", "GLOBAL"), ("gcp", "global"), ("aws", "eu-nowhere-9"), ("", "")]
)
def test_what_is_no_place_is_none(provider: str, region: str) -> None:
    assert region_of(provider, region) is None


def test_every_region_lies_near_its_country() -> None:
    for (provider, name), region in REGIONS.items():
        country = COUNTRIES[region.country]
        reach = {"US": 4000, "CA": 3500, "CN": 2500, "AU": 2800, "BR": 2700, "IN": 1700, "CL": 700, "ID": 1300}
        distance = kilometres(region.latitude, region.longitude, country.latitude, country.longitude)
        assert distance < reach.get(region.country, 1000), (provider, name)


def kilometres(south: float, west: float, north: float, east: float) -> float:
    """Great circle, by the haversine formula."""
    half = sin(radians(north - south) / 2) ** 2
    half += cos(radians(south)) * cos(radians(north)) * sin(radians(east - west) / 2) ** 2
    return 12742 * asin(sqrt(half))
