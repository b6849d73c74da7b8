"""The steps alone, spelled as the document spells them."""

from __future__ import annotations

import csv
import json
import pickle
from pathlib import Path

import pytest

from appliance.cli.longitudinal import command
from tests.appliance.conftest import Homeport
from tests.appliance.longitudinal.lab import EXAMPLE, HUE, HUE_MAC, SONOS, SONOS_MAC, at, capture, example, visit
from tests.daemon.ingest.scenes import SECOND, lookup, talk, write
from tests.support.atlas import countries, maxmind_country

FOLDER = "analysis_longitudinal/sonos-one/2025/Jul_2025"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One month of one device, and its input list; the working folder is where it lies."""
    monkeypatch.chdir(tmp_path)
    path = capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", example(at(2025, 7, 14, 10)))
    (tmp_path / "Jul_2025.txt").write_text(f"{path}\n")
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".db" not in path.name
    }


def test_steps_alone_make_what_a_run_makes(lab: Path, homeport: Homeport) -> None:
    assert homeport("longitudinal", "run", "--root", ".", "--out", "all").code == 0
    steps = [
        ["domains", "--input_file", "Jul_2025.txt", "--output_dir", FOLDER, "--exp", "sonos_domains"],
        ["map_ips", "--input_file", "Jul_2025.txt", "--output_dir", FOLDER, "--exp", "sonos_ipmap"],
        ["geolocate", "--input", f"{FOLDER}/ip_list/all_ips.json", "--output", f"{FOLDER}/geolocation.json"],
        ["party", "--device", "sonos-one", "--years", "2023", "2024", "2025", "--base_dir", "analysis_longitudinal"],
    ]
    for step in steps:
        ran = homeport("longitudinal", *step)
        assert ran.code == 0, ran.err
    apart = content(lab / "analysis_longitudinal")
    whole = content(lab / "all" / "analysis_longitudinal")
    assert whole.pop("sonos-one/device.json")  # what a run knows of the device besides
    assert apart == whole
    assert (lab / FOLDER / "captures.db").exists()


@pytest.mark.parametrize("spelling", ["underscores", "hyphens"])
def test_both_spellings(lab: Path, homeport: Homeport, spelling: str) -> None:
    words = ["map_ips", "--input_file", "Jul_2025.txt", "--output_dir", "out", "--exp", "first look"]
    if spelling == "hyphens":
        words = [word.replace("_", "-") if "2025" not in word else word for word in words]
    ran = homeport("longitudinal", *words)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("first look, 1 capture of sonos-one: 4 addresses, 4 of them with a name")
    assert json.loads((lab / "out" / "ip_list" / "all_ips.json").read_text()) == list(EXAMPLE.values())


def test_most_used_name_of_an_address_comes_first(tmp_path: Path, homeport: Homeport) -> None:
    """Both are kept, in whatever order they were seen; captures outside of by-name count with all that is in them."""
    start = at(2025, 7, 14, 10)
    frames = visit(start, "zebra.example.net", "198.51.100.1", port=50000)
    for number in range(3):
        frames += visit(start + (number + 1) * 10 * SECOND, "apple.example.net", "198.51.100.1", port=50001 + number)
    frames += visit(start + 100 * SECOND, "zebra.example.net", "198.51.100.1", port=50009)
    frames += lookup(start + 200 * SECOND, "asked.example.net", "198.51.100.1", client=HUE, mac=HUE_MAC)
    source = tmp_path / "list.txt"
    source.write_text(f"\ufeff{write(tmp_path / 'day.pcap', frames)}\n\n")
    ran = homeport("longitudinal", "map-ips", "--input_file", source, "--output_dir", tmp_path / "out", "--exp", "e")
    assert ran.code == 0, ran.err
    expected = {"198.51.100.1": ["apple.example.net", "zebra.example.net", "asked.example.net"]}
    assert json.loads((tmp_path / "out/ip_list/ip_domain_map.json").read_text()) == expected
    assert pickle.loads((tmp_path / "out/ip_list/ip_domain_map.pkl").read_bytes()) == expected  # noqa: S301 - ours


def test_missing_captures_are_set_aside(lab: Path, homeport: Homeport) -> None:
    (lab / "Jul_2025.txt").write_text((lab / "Jul_2025.txt").read_text() + "gone.pcap\n")
    ran = homeport("longitudinal", "domains", "--input_file", "Jul_2025.txt", "--output_dir", "out", "--exp", "e")
    assert (ran.code, "gone.pcap" in ran.out) == (1, True)
    assert json.loads((lab / "out/domain_list/unique_domains.json").read_text()) == sorted(EXAMPLE)
    (lab / "none.txt").write_text("gone.pcap\n")
    ran = homeport("longitudinal", "domains", "--input_file", "none.txt", "--output_dir", "other", "--exp", "e")
    assert (ran.code, "gone.pcap" in ran.err, (lab / "other" / "domain_list").exists()) == (3, True, False)
    (lab / "empty.txt").write_text("\n")
    assert homeport("longitudinal", "domains", "--input_file", "empty.txt", "--output_dir", "other").code == 3


def test_empty_maps_never_stop_later_steps(lab: Path, homeport: Homeport) -> None:
    assert homeport("longitudinal", "domains", "--input_file", "Jul_2025.txt", "--output_dir", FOLDER).code == 0
    party = ["longitudinal", "party", "--device", "sonos-one", "--years", "2024", "2025"]
    assert homeport(*party).code == 0  # no address map at all
    table = lab / "analysis_longitudinal/sonos-one/categorized_domains_Jul_2025.csv"
    before = table.read_bytes()
    ran = homeport("longitudinal", "init_empty", "sonos-one", "2024", "2025", "--base_dir", "analysis_longitudinal")
    assert (ran.code, "Made 72 empty files" in ran.out) == (0, True)
    maps = list((lab / "analysis_longitudinal").glob("sonos-one/*/*/ip_list/ip_domain_map.pkl"))
    assert len(maps) == 24
    assert {repr(pickle.loads(path.read_bytes())) for path in maps} == {"{}"}  # noqa: S301 - ours
    assert homeport(*party).code == 0
    assert table.read_bytes() == before
    assert len(list((lab / "analysis_longitudinal/sonos-one").glob("*.csv"))) == 1  # empty months have no table


def test_init_empty_leaves_alone_what_is_there(lab: Path, homeport: Homeport) -> None:
    assert homeport("longitudinal", "map-ips", "--input_file", "Jul_2025.txt", "--output_dir", FOLDER).code == 0
    before = content(lab / FOLDER)
    ran = homeport("longitudinal", "init-empty", "sonos-one", "2025")
    assert (ran.code, "3 were there already" in ran.out) == (0, True)
    assert content(lab / FOLDER) == before
    ran = homeport("longitudinal", "init-empty", "../outside", "2025")
    assert (ran.code, (lab / "outside").exists()) == (3, False)


def test_names_added_to_the_map_by_hand_are_judged(lab: Path, homeport: Homeport) -> None:
    path = lab / FOLDER / "ip_list" / "ip_domain_map.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"2001:db8::1": ["update.sonos.com"], "odd": 7}))
    assert homeport("longitudinal", "party", "--device", "sonos-one", "--years", "2025").code == 0
    with (lab / "analysis_longitudinal/sonos-one/categorized_domains_Jul_2025.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Domain"], row["Category"], row["Query Type"]) for row in rows] == [
        ("update.sonos.com", "First-party", "AAAA")
    ]


@pytest.mark.parametrize("rubbish", ["[", "[1, 2]", '{"a.example": 5}', "\x00", '"text"', "{" * 100_000])
def test_damaged_lists_are_set_aside(lab: Path, homeport: Homeport, rubbish: str) -> None:
    """Of one month; the others go on."""
    good = {"api.sonos.com": {"query_types": ["A"], "addresses": [], "count": 1, "first_us": 1, "last_us": 2}}
    for word, text in (("Jul_2025", rubbish), ("Aug_2025", json.dumps(good))):
        path = lab / f"analysis_longitudinal/sonos-one/2025/{word}/domain_list/contacted_domains.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    ran = homeport("longitudinal", "party", "--device", "sonos-one", "--years", "2025")
    assert ran.code in (0, 1), ran.err
    assert (ran.code == 1) == ("Jul_2025" in ran.out)
    assert len((lab / "analysis_longitudinal/sonos-one/categorized_domains_Aug_2025.csv").read_text().splitlines()) == 2


def test_first_party_list_of_a_maker(lab: Path, homeport: Homeport) -> None:
    ran = homeport("longitudinal", "first-party", "--manufacturer", "Sonos", "--output", "new/first_party_domains.txt")
    assert ran.code == 0, ran.err
    domains = (lab / "new/first_party_domains.txt").read_text().splitlines()
    assert domains == sorted(domains)
    assert "sonos.com" in domains
    assert "amazonaws.com" not in domains
    again = homeport("longitudinal", "first_party", "--manufacturer", "SONOS, INC.", "--output", "again.txt")
    assert (again.code, (lab / "again.txt").read_text().splitlines()) == (0, domains)
    assert homeport("longitudinal", "first-party", "--manufacturer", "Amazon", "--output", "amazon.txt").code == 0
    amazon = (lab / "amazon.txt").read_text().splitlines()
    assert {"amazonaws.com", "ring.com"} <= set(amazon)  # its own cloud, and a sister brand
    assert "amazon-adsystem.com" not in amazon  # advertisements are third party, also at home
    ran = homeport("longitudinal", "first-party", "--manufacturer", "Qqzx", "--output", "nobody.txt")
    assert (ran.code, "Qqzx" in ran.err, (lab / "nobody.txt").exists()) == (3, True, False)


@pytest.mark.parametrize("schema", ["maxmind", "flat"])
def test_geolocate_as_in_the_document(lab: Path, homeport: Homeport, schema: str) -> None:
    places = {"23.194.0.0/16": "IE", "2a00:1450::/32": "NL"}
    database = maxmind_country(places) if schema == "maxmind" else countries(IE="23.194.0.0/16", NL="2a00:1450::/32")
    (lab / "GeoLite2-Country.mmdb").write_bytes(database)
    (lab / "all_ips.json").write_text('["2a00:1450::1", "23.194.10.201", "9.9.9.9"]')
    words = ["--input", "all_ips.json", "--output", "geolocation.json", "--db", "GeoLite2-Country.mmdb"]
    ran = homeport("longitudinal", "geolocate", *words)
    assert (ran.code, ran.out) == (0, "2 of 3 addresses have a country: geolocation.json\n"), ran.err
    assert json.loads((lab / "geolocation.json").read_text()) == {
        "23.194.10.201": {"country_iso_code": "IE", "country_name": "Ireland"},
        "2a00:1450::1": {"country_iso_code": "NL", "country_name": "Netherlands"},
        "9.9.9.9": {"country_iso_code": None, "country_name": None},
    }


def test_run_takes_a_country_database(lab: Path, homeport: Homeport) -> None:
    capture(lab, "sonos-one", "2025-09-14_10.00.00", visit(at(2025, 9, 14), "www.sonos.com", "23.194.10.201"))
    (lab / "own.mmdb").write_bytes(countries(IE="23.194.0.0/16"))
    ran = homeport("longitudinal", "run", "--root", ".", "--out", "out", "--geo-db", "own.mmdb")
    assert ran.code == 0, ran.err
    found = json.loads((lab / "out/analysis_longitudinal/sonos-one/2025/Sep_2025/geolocation.json").read_text())
    assert found == {"23.194.10.201": {"country_iso_code": "IE", "country_name": "Ireland"}}


def test_geolocate_without_a_database_says_so(lab: Path, homeport: Homeport) -> None:
    (lab / "all_ips.json").write_text('["8.8.8.8", "192.168.1.1", "2001:4860:4860::8888"]')
    ran = homeport("longitudinal", "geolocate", "--input", "all_ips.json", "--output", "geo.json")
    assert (ran.code, "no country database" in ran.out) == (0, True)
    nowhere = {"country_iso_code": None, "country_name": None}
    assert json.loads((lab / "geo.json").read_text()) == dict.fromkeys(
        ["192.168.1.1", "2001:4860:4860::8888", "8.8.8.8"], nowhere
    )
    (lab / "bad.mmdb").write_bytes(b"no database")
    for words in (["--db", "bad.mmdb"], ["--db", "missing.mmdb"]):
        ran = homeport("longitudinal", "geolocate", "--input", "all_ips.json", "--output", "other.json", *words)
        assert (ran.code, words[1] in ran.err, (lab / "other.json").exists()) == (3, True, False)
    (lab / "odd.json").write_text('["8.8.8.8; rm"]')
    ran = homeport("longitudinal", "geolocate", "--input", "odd.json", "--output", "other.json")
    assert (ran.code, "is no address" in ran.err) == (3, True)


def test_compare_any_two_lists(lab: Path, homeport: Homeport) -> None:
    (lab / "a.csv").write_text(
        "Month-Year,Domain,SLD,TLD,Category,Organization,Query Type\n"
        "Jul-2025,one.example.com,example,com,First-party,X,A\nJul-2025,one.example.com,example,com,First-party,X,AAAA\n"
        "Jul-2025,two.example.com,example,com,Third-party,Y,A\n"
    )
    (lab / "b.json").write_text('["two.example.com", "three.example.com"]')
    ran = homeport("longitudinal", "compare", "a.csv", "b.json")
    assert ran.code == 0
    assert ran.out == (
        "A: a.csv\nB: b.json\n\nOnly in A (1)\n  one.example.com  First-party\n\nOnly in B (1)\n  three.example.com\n\n"
        "In both (1)\n  two.example.com  Third-party -> -\n"
    )
    ran = homeport("longitudinal", "compare", "b.json", "a.csv", "--format", "csv", "--output", "out/c.csv")
    assert (ran.code, "1 only in A, 1 only in B, 1 in both" in ran.out) == (0, True)
    assert (lab / "out/c.csv").read_text() == (
        "Domain,In,Category A,Category B\none.example.com,only in B,,First-party\nthree.example.com,only in A,,\n"
        "two.example.com,both,,Third-party\n"
    )
    ran = homeport("longitudinal", "compare", "a.csv", "a.csv", "--format", "json")
    assert json.loads(ran.out)["both"]["two.example.com"] == ["Third-party", "Third-party"]
    (lab / "picture.txt").write_text("this is no list of domains\n")
    ran = homeport("longitudinal", "compare", "a.csv", "picture.txt")
    assert (ran.code, "picture.txt" in ran.err) == (3, True)


def test_unknown_step_names_the_steps(homeport: Homeport) -> None:
    ran = homeport("longitudinal", "everything")
    assert (ran.code, "map-ips" in ran.err, "run" in ran.err) == (2, True, True)


def test_two_folders_in_one_list_count_with_their_own_device(tmp_path: Path, homeport: Homeport) -> None:
    start = at(2025, 7, 14, 10)
    mine = capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", visit(start, "one.sonos.com", "198.51.100.1"))
    both = visit(start, "two.meethue.com", "198.51.100.2", client=HUE, mac=HUE_MAC)
    both += talk(start + 10 * SECOND, client=HUE, mac=HUE_MAC, server="198.51.100.2", port=51000, reply=90_000)
    both += visit(start + 20 * SECOND, "not-hue.sonos.com", "198.51.100.3", client=SONOS, mac=SONOS_MAC)
    theirs = capture(tmp_path, "hue", "2025-07-14_10.00.00", both)
    (tmp_path / "list.txt").write_text(f"{mine}\n{theirs}\n")
    ran = homeport("longitudinal", "domains", "--input_file", tmp_path / "list.txt", "--output_dir", tmp_path / "out")
    assert ran.code == 0, ran.err
    names = json.loads((tmp_path / "out/domain_list/unique_domains.json").read_text())
    assert names == ["one.sonos.com", "two.meethue.com"]


def test_documentation_names_every_step_option_and_file(lab: Path, homeport: Homeport) -> None:
    text = (Path(__file__).parents[3] / "docs" / "longitudinal.md").read_text("utf-8")
    for name, step in command.commands.items():
        assert f"homeport longitudinal {name} " in text
        options = [option.opts for option in step.params if option.opts[0].startswith("--")]
        assert [spellings for spellings in options if not any(each in text for each in spellings)] == [], name
    assert homeport("longitudinal", "run", "--root", ".", "--out", "out").code == 0
    assert [name for name in content(lab / "out") if Path(name).name not in text] == []
