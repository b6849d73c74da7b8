from __future__ import annotations

from daemon.classify.countries import COUNTRIES


def test_there_is_every_code_of_the_standard_and_kosovo() -> None:
    assert len(COUNTRIES) == 250  # ISO 3166-1 has 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES)
    assert {"AX", "BQ", "CW", "GB", "HK", "PS", "SS", "SX", "TW", "XK"} <= set(COUNTRIES)
    assert not {"UK", "EU", "AN", "ZZ", "YU", "CS"} & set(COUNTRIES)


def test_names_are_unique_and_clean() -> None:
    names = [country.name for country in COUNTRIES.values()]
    assert len(set(names)) == len(names)
    assert all(name == name.strip() and name[0].isupper() and not any(map(str.isdigit, name)) for name in names)


def test_points_lie_where_the_countries_do() -> None:
    boxes = {  # south, north, west, east; by hand from a map
        "DE": (47.2, 55.1, 5.8, 15.1), "US": (24.5, 49.4, -125, -66.9), "AU": (-39.2, -10.6, 113.1, 153.7),
        "JP": (30.9, 45.6, 129.4, 145.9), "BR": (-33.8, 5.3, -74, -34.7), "SG": (1.1, 1.5, 103.6, 104.1),
        "NZ": (-47.3, -34.3, 166.4, 178.6), "IE": (51.4, 55.4, -10.5, -5.9), "ZA": (-34.9, -22.1, 16.4, 32.9),
        "CA": (41.6, 83.2, -141, -52.6), "RU": (41.1, 81.9, 27.3, 180), "CL": (-56, -17.5, -75.7, -66.9),
        "FJ": (-21, -12.4, 176.8, 180), "IS": (63.3, 66.6, -24.6, -13.4), "AE": (22.6, 26.1, 51.5, 56.4),
    }  # fmt: skip
    for code, (south, north, west, east) in boxes.items():
        country = COUNTRIES[code]
        assert south < country.latitude < north, code
        assert west < country.longitude < east, code


def test_no_two_countries_share_a_point() -> None:
    points = [country[1:] for country in COUNTRIES.values()]
    assert len(set(points)) == len(points)
    assert all(-90 <= latitude <= 90 and -180 <= longitude <= 180 for latitude, longitude in points)
