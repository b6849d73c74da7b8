"""From a tree of captures to the document's tree of tables, in one command."""

from __future__ import annotations

import gzip
import json
import pickle
import pickletools
from pathlib import Path

from tests.appliance.conftest import Homeport
from tests.appliance.longitudinal.lab import (
    CONNECTION,
    EXAMPLE,
    HUE,
    HUE_MAC,
    SONOS,
    SONOS_MAC,
    at,
    capture,
    example,
    http,
    month,
    quic,
    read,
    tables,
    visit,
)
from tests.daemon.ingest.scenes import DAY, SECOND, lookup, router_advertisement, talk
from tests.support import packets as p
from tests.support.veiled import veiled

HEADER = "Month-Year,Domain,SLD,TLD,Category,Organization,Query Type"


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of every file, the database apart."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and ".db" not in path.name]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_example_of_the_document(tmp_path: Path, homeport: Homeport) -> None:
    """Its four rows, in its words; but the SLD of amazonaws.com is `amazonaws`, as that of sonos.com is `sonos`."""
    capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", example(at(2025, 7, 14, 10)))
    out = tmp_path / "out"
    ran = homeport("longitudinal", "run", "--root", tmp_path, "--out", out)
    assert ran.code == 0, ran.err
    path = out / "analysis_longitudinal" / "sonos-one" / "categorized_domains_Jul_2025.csv"
    assert path.read_text("utf-8").splitlines() == [
        HEADER,
        "Jul-2025,cloudfront.net,cloudfront,net,Support-party,Amazon AWS,A",
        f"Jul-2025,{CONNECTION},sonos,com,First-party,Sonos Inc,A",
        "Jul-2025,metrics.sonos.com,sonos,com,First-party,Sonos Inc,A",
        "Jul-2025,s3.amazonaws.com,amazonaws,com,Support-party,Amazon AWS,A",
    ]


def test_all_files_of_a_month(tmp_path: Path, homeport: Homeport) -> None:
    start = at(2025, 7, 14, 10)
    silent = talk(start + 200 * SECOND, None, client=SONOS, mac=SONOS_MAC, server="198.51.100.99", port=50099)
    path = capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", example(start), silent)
    out = tmp_path / "out"
    assert homeport("longitudinal", "run", "--root", tmp_path, "--out", out).code == 0
    assert (out / "inputs" / "sonos-one_longitudinal" / "2025" / "Jul_2025.txt").read_text() == f"{path}\n"
    folder, device = month(out, "sonos-one", "Jul_2025"), out / "analysis_longitudinal" / "sonos-one"
    contacted = read(folder / "domain_list" / "contacted_domains.json")
    assert contacted["cloudfront.net"] == {
        "query_types": ["A"],
        "addresses": ["198.51.100.3"],
        "count": 2,  # one question with its answer, one handshake
        "first_us": start + 2 * SECOND,
        "last_us": contacted["cloudfront.net"]["last_us"],
    }
    assert start + 2 * SECOND < contacted["cloudfront.net"]["last_us"] < start + 3 * SECOND
    assert read(folder / "domain_list" / "unique_domains.json") == sorted(EXAMPLE)
    assert read(folder / "ip_list" / "all_ips.json") == [*EXAMPLE.values(), "198.51.100.99"]
    named = {address: [name] for name, address in EXAMPLE.items()}
    assert read(folder / "ip_list" / "ip_domain_map.json") == named
    raw = (folder / "ip_list" / "ip_domain_map.pkl").read_bytes()
    assert pickle.loads(raw) == named  # noqa: S301 - written two lines above
    assert {opcode.name for opcode, _, _ in pickletools.genops(raw)} == {
        "PROTO", "EMPTY_DICT", "MARK", "BINUNICODE", "EMPTY_LIST", "APPENDS", "SETITEMS", "STOP",
    }  # fmt: skip
    unnamed = read(folder / "ip_list" / "unnamed.json")
    assert (unnamed["addresses"], unnamed["unnamed_addresses"]) == (5, 1)
    assert unnamed["unnamed"][0]["address"] == "198.51.100.99"
    assert unnamed["unnamed_share_of_bytes"] == round(unnamed["unnamed_bytes"] / unnamed["bytes"], 6)
    assert 0.1 < unnamed["unnamed_share_of_bytes"] < 0.4
    assert set(read(folder / "geolocation.json")) == {*EXAMPLE.values(), "198.51.100.99"}
    assert "sonos.com" in (device / "first_party_domains.txt").read_text().splitlines()
    assert (device / "sld_list.txt").read_text().split() == ["amazonaws", "cloudfront", "sonos"]
    assert read(device / "sld_statistics.json")["sonos"]["domains"] == 2
    found = {(each["platform"], each["kind"]): each for each in read(device / "platforms_detected.json")}
    assert set(found) == {("Amazon AWS", "cdn"), ("Amazon AWS", "cloud")}
    assert found["Amazon AWS", "cloud"]["confidence"] == "high"
    evidence = found["Amazon AWS", "cloud"]["evidence"]
    assert [each["domain"] for each in evidence] == ["s3.amazonaws.com"]
    assert "Amazon" in evidence[0]["reason"]
    assert read(device / "device.json")["manufacturer"] == "Sonos"
    assert read(device / "device.json")["mac"] == SONOS_MAC


def test_several_devices_and_years(tmp_path: Path, homeport: Homeport) -> None:
    for year, number in ((2023, 12), (2024, 1), (2025, 7)):
        capture(tmp_path, "sonos-one", f"{year}-{number:02}-05_00.00.00", example(at(year, number, 5)))
    hue = visit(at(2024, 1, 6), "ws.meethue.com", "203.0.113.9", client=HUE, mac=HUE_MAC)
    capture(tmp_path, "philips-hue", "2024-01-06_00.00.00", hue)
    out = tmp_path / "out"
    ran = homeport("longitudinal", "run", "--root", tmp_path, "--out", out, "--jobs", "2")
    assert ran.code == 0, ran.err
    found = sorted(path.name for path in (out / "analysis_longitudinal").glob("*/categorized*"))
    assert found == [f"categorized_domains_{word}.csv" for word in ("Dec_2023", "Jan_2024", "Jan_2024", "Jul_2025")]
    assert tables(out, "philips-hue", "Jan_2024")[0][1:5] == ["ws.meethue.com", "meethue", "com", "First-party"]
    assert not (out / "analysis_longitudinal" / "sonos-one" / "2024" / "Feb_2024").exists()  # empty: skipped
    some = tmp_path / "some"
    ran = homeport(
        "longitudinal", "run", "--root", tmp_path, "--out", some, "--device", "sonos-one", "--years", "2023", "2025"
    )
    assert ran.code == 0, ran.err
    found = sorted(path.name for path in (some / "analysis_longitudinal").glob("*/categorized*"))
    assert found == ["categorized_domains_Dec_2023.csv", "categorized_domains_Jul_2025.csv"]


def test_file_belongs_to_the_month_in_its_name(tmp_path: Path, homeport: Homeport) -> None:
    """As `2025-07-*.pcap` does it: what it has of August stays in July, and is in no other month."""
    late = visit(at(2025, 7, 31, 23, 50), "july.sonos.com", "198.51.100.1", port=50001)
    late += visit(at(2025, 8, 1, 0, 10), "still.sonos.com", "198.51.100.2", port=50002)
    capture(tmp_path, "sonos-one", "2025-07-31_23.30.00", late)
    capture(
        tmp_path, "sonos-one", "2025-08-01_00.30.00", visit(at(2025, 8, 1, 0, 30), "august.sonos.com", "198.51.100.3")
    )
    out = tmp_path / "out"
    assert homeport("longitudinal", "run", "--root", tmp_path, "--out", out).code == 0
    assert [row[1] for row in tables(out, "sonos-one", "Jul_2025")] == ["july.sonos.com", "still.sonos.com"]
    assert [row[1] for row in tables(out, "sonos-one", "Aug_2025")] == ["august.sonos.com"]


def test_again_adds_nothing_and_touches_nothing(tmp_path: Path, homeport: Homeport) -> None:
    root, out = tmp_path / "traffic", tmp_path / "out"
    capture(root, "sonos-one", "2025-07-14_10.00.00", example(at(2025, 7, 14, 10)))
    first = homeport("longitudinal", "run", "--root", root, "--out", out)
    before = snapshot(out)
    again = homeport("longitudinal", "run", "--root", root, "--out", out)
    assert (first.code, again.code) == (0, 0)
    assert snapshot(out) == before
    assert ", 0 of them new." in again.out
    capture(root, "sonos-one", "2025-08-14_10.00.00", visit(at(2025, 8, 14, 10), "new.sonos.com", "198.51.100.7"))
    assert homeport("longitudinal", "run", "--root", root, "--out", out).code == 0
    changed = {name for name, state in snapshot(out).items() if before.get(name) != state}
    assert not [name for name in changed if "Jul_2025" in name]
    elsewhere = tmp_path / "at-once"
    assert homeport("longitudinal", "run", "--root", root, "--out", elsewhere).code == 0
    one, two = ({name: content for name, (content, _) in snapshot(each).items()} for each in (out, elsewhere))
    assert one == two  # in two runs or in one


def test_only_the_folders_device_counts(tmp_path: Path, homeport: Homeport) -> None:
    start = at(2025, 7, 14, 10)
    other = visit(start, "phone.example", "203.0.113.50", client="192.168.1.99", mac="02:00:00:00:00:99")
    more = talk(start + 60 * SECOND, client=SONOS, mac=SONOS_MAC, server="198.51.100.1", port=51001, reply=90_000)
    capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", example(start), more, other)
    out = tmp_path / "out"
    assert homeport("longitudinal", "run", "--root", tmp_path, "--out", out).code == 0
    assert {row[1] for row in tables(out, "sonos-one", "Jul_2025")} == set(EXAMPLE)
    assert "203.0.113.50" not in read(month(out, "sonos-one", "Jul_2025") / "ip_list" / "all_ips.json")


def test_addresses_of_both_versions(tmp_path: Path, homeport: Homeport) -> None:
    start, own = at(2025, 7, 14, 10), "2001:db8:1::20"
    frames = [router_advertisement(start, "2001:db8:1::")]
    frames += lookup(start + SECOND, "six.sonos.com", "2001:db8:9::9", client=own, mac=SONOS_MAC)
    frames += talk(start + 2 * SECOND, "six.sonos.com", client=own, mac=SONOS_MAC, server="2001:db8:9::9")
    frames += visit(start + 3 * SECOND, "four.sonos.com", "198.51.100.4", "198.51.100.5")
    capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", frames)
    out = tmp_path / "out"
    assert homeport("longitudinal", "run", "--root", tmp_path, "--out", out).code == 0
    folder = month(out, "sonos-one", "Jul_2025")
    assert read(folder / "ip_list" / "all_ips.json") == ["198.51.100.4", "198.51.100.5", "2001:db8:9::9"]
    assert read(folder / "ip_list" / "ip_domain_map.json")["2001:db8:9::9"] == ["six.sonos.com"]
    types = {row[1]: row[6] for row in tables(out, "sonos-one", "Jul_2025")}
    assert types == {"four.sonos.com": "A", "six.sonos.com": "AAAA"}


def test_names_that_only_handshakes_tell(tmp_path: Path, homeport: Homeport) -> None:
    start = at(2025, 7, 14, 10)
    frames = talk(start, "tls.sonos.com", client=SONOS, mac=SONOS_MAC, server="198.51.100.1")
    frames += quic(start + SECOND, "quic.sonos.com", "198.51.100.2")
    frames += http(start + 2 * SECOND, "http.sonos.com", "198.51.100.3")
    frames += http(start + 3 * SECOND, "198.51.100.8", "198.51.100.8", port=52001)  # an address is no name
    frames += visit(start + 4 * SECOND, "both.sonos.com", "198.51.100.4", port=52002)
    frames += lookup(start + 5 * SECOND, "both.sonos.com", "2001:db8:9::4", client=SONOS, mac=SONOS_MAC, port=52003)
    frames += [(start + 6 * SECOND, p.udp_frame(_reverse_question(), SONOS, "192.168.1.1", 52004, 53, mac=SONOS_MAC))]
    capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", frames)
    out = tmp_path / "out"
    assert homeport("longitudinal", "run", "--root", tmp_path, "--out", out).code == 0
    assert [(row[1], row[6]) for row in tables(out, "sonos-one", "Jul_2025")] == [
        ("both.sonos.com", "A"), ("both.sonos.com", "AAAA"), ("http.sonos.com", "HTTP"), ("quic.sonos.com", "QUIC"),
        ("tls.sonos.com", "TLS"),
    ]  # fmt: skip


def test_front_of_an_encrypted_hello_is_no_destination(tmp_path: Path, homeport: Homeport) -> None:
    """Its address is, and the table of addresses without a name says why it has none."""
    start = at(2025, 7, 14, 10)
    frames = visit(start, "api.sonos.com", "198.51.100.1")
    frames += veiled(
        start + SECOND, "cloudflare-ech.com", server="198.51.100.2", client=SONOS, mac=SONOS_MAC, port=50001
    )
    capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", frames)
    out = tmp_path / "out"
    assert homeport("longitudinal", "run", "--root", tmp_path, "--out", out).code == 0
    july = out / "analysis_longitudinal" / "sonos-one" / "2025" / "Jul_2025"
    assert list(json.loads((july / "domain_list" / "contacted_domains.json").read_text())) == ["api.sonos.com"]
    assert json.loads((july / "ip_list" / "all_ips.json").read_text()) == ["198.51.100.1", "198.51.100.2"]
    assert "name encrypted in the handshake" in (july / "ip_list" / "unnamed.json").read_text()


def _reverse_question() -> bytes:
    name = b"".join(bytes([len(label)]) + label for label in b"1.100.51.198.in-addr.arpa".split(b".")) + b"\0"
    return bytes.fromhex("000701000001000000000000") + name + bytes.fromhex("000c0001")


def test_name_known_from_the_month_before(tmp_path: Path, homeport: Homeport) -> None:
    """Asked in July for a day, used in August without asking again."""
    july = lookup(at(2025, 7, 31, 22), "long.sonos.com", "198.51.100.1", client=SONOS, mac=SONOS_MAC, ttl=86_400)
    august = talk(at(2025, 8, 1, 2), None, client=SONOS, mac=SONOS_MAC, server="198.51.100.1")
    capture(tmp_path, "sonos-one", "2025-07-31_22.00.00", july, example(at(2025, 7, 31, 21)))
    capture(tmp_path, "sonos-one", "2025-08-01_02.00.00", august)
    out = tmp_path / "out"
    assert homeport("longitudinal", "run", "--root", tmp_path, "--out", out).code == 0
    assert [(row[1], row[6]) for row in tables(out, "sonos-one", "Aug_2025")] == [("long.sonos.com", "A")]
    assert read(month(out, "sonos-one", "Aug_2025") / "ip_list" / "ip_domain_map.json") == {
        "198.51.100.1": ["long.sonos.com"]
    }


def test_owner_adds_organisations(tmp_path: Path, homeport: Homeport) -> None:
    start = at(2025, 7, 14, 10)
    frames = visit(start, "api.unheard-of.example", "198.51.100.1")
    frames += visit(start + SECOND, "www.elsewhere.example", "198.51.100.2", port=50001)
    capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", frames)
    sheet = tmp_path / "mine.csv"
    sheet.write_text(
        "domain,organisation,kind\nunheard-of.example,Sonos Laboratories,maker\n"
        "elsewhere.example,Elsewhere Ads,advertising\n"
    )
    out = tmp_path / "out"
    ran = homeport("longitudinal", "run", "--root", tmp_path, "--out", out, "--organisations", sheet)
    assert ran.code == 0, ran.err
    assert [row[4:6] for row in tables(out, "sonos-one", "Jul_2025")] == [
        ["First-party", "Sonos Laboratories"], ["Third-party", "Elsewhere Ads"],
    ]  # fmt: skip


def test_manufacturer_from_the_option(tmp_path: Path, homeport: Homeport) -> None:
    capture(tmp_path, "device-17", "2025-07-14_10.00.00", example(at(2025, 7, 14, 10)))
    ran = homeport(
        "longitudinal", "run", "--root", tmp_path, "--out", tmp_path / "out", "--manufacturer", "SONOS, Inc."
    )
    assert ran.code == 0, ran.err
    assert {row[4] for row in tables(tmp_path / "out", "device-17", "Jul_2025") if row[2] == "sonos"} == {"First-party"}


def test_other_forms_of_captures(tmp_path: Path, homeport: Homeport) -> None:
    """Compressed, deeper in the tree, pcapng, and with nothing but the date in the name; the root may be by-name itself."""
    start = at(2025, 7, 14, 10)
    plain = capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", visit(start, "one.sonos.com", "198.51.100.1"))
    (plain.parent / "2025-07-14_10.00.00_lab.pcap.gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    plain.unlink()
    deep = tmp_path / "by-name" / "sonos-one" / "ctrl2" / "week 29" / "2025-07-15_10.00.00_.pcapng"
    deep.parent.mkdir()
    deep.write_bytes(p.pcapng(visit(start + DAY, "two.sonos.com", "198.51.100.2")))
    (tmp_path / "by-name" / "sonos-one" / "again").symlink_to("ctrl2")  # the same files twice: counted once
    out = tmp_path / "out"
    ran = homeport("longitudinal", "run", "--root", tmp_path / "by-name", "--out", out)
    assert ran.code == 0, ran.err
    contacted = read(month(out, "sonos-one", "Jul_2025") / "domain_list" / "contacted_domains.json")
    assert {name: entry["count"] for name, entry in contacted.items()} == {"one.sonos.com": 2, "two.sonos.com": 2}
