from __future__ import annotations

import ast
import datetime as dt
import itertools
import shutil
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import appliance.sample
from appliance.sample import day as busy_day
from appliance.sample import write_home
from appliance.sample.day import write_day
from appliance.sample.diary import HOUR, Said, text_of
from appliance.sample.home import HomeDay, home_days, write_pcap
from appliance.sample.wire import Frame
from tests.support.packets import HOST, SERVER, START_US, pcap, udp_frame

SUMS = ("ip", "tcp", "udp", "icmp", "icmpv6")
VERIFY = [f"-o{protocol}.check_checksum:TRUE" for protocol in ("tcp", "udp")]


def times(path: Path) -> list[int]:
    """Packet times of a classic little-endian pcap in microseconds; fails unless the records fill the file exactly.

    Only frames of large transfers may have been cut, to their first 96 bytes.
    """
    data = path.read_bytes()
    at, found = 24, []
    while at < len(data):
        seconds, micros, held, wire = struct.unpack_from("<IIII", data, at)
        assert held == wire or held == 96 < wire
        found.append(seconds * 1_000_000 + micros)
        at += 16 + held
    assert at == len(data)
    return found


def begin_of(name: str) -> int:
    """The microseconds since the epoch that a file's name stands for, in UTC."""
    stamp = dt.datetime.strptime(name.removesuffix("_wlan0.pcap"), "%Y-%m-%d_%H.%M.%S").replace(tzinfo=dt.UTC)
    return int(stamp.timestamp()) * 1_000_000


def tshark(path: Path, wanted: str, *fields: str, verify: bool = True) -> list[list[str]]:
    """What an independent reader finds: a row for each packet that the display filter `wanted` lets through.

    With `verify`, it passes over TCP segments and datagrams whose checksum is wrong.
    """
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed: no independent reader confirms what the sample home says")
    argv = ["tshark", "-n", "-r", str(path), "-otcp.reassemble_out_of_order:TRUE", "-oip.check_checksum:TRUE"]
    argv += ["-Y", wanted, "-Tfields", "-Eaggregator=|"]
    argv += VERIFY if verify else []
    argv += [part for field in fields for part in ("-e", field)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in ran.stdout.splitlines()]


# All that is asked of a day: the program takes a second to read it, whatever it is asked.
SHOWN = (
    "frame.number", "frame.protocols", "_ws.malformed", "_ws.col.Info", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst",
    "icmp.type", *(f"{protocol}.checksum.status" for protocol in SUMS), "tcp.segments", "tcp.analysis.flags",
    "tls.handshake.type", "tls.handshake.extensions_server_name", "tls.handshake.extensions_supported_group",
    "x509sat.uTF8String", "dns.flags.response", "dns.a", "dns.aaaa", "dns.cname", "dns.resp.type", "http.host",
    "dhcp.option.dhcp", "dhcp.option.hostname",
)  # fmt: skip
TRUE = {"1", "True"}  # as versions of it write a flag
NAME = "tls.handshake.extensions_server_name"


class Seen(dict[str, list[str]]):
    """One packet as the independent reader shows it: field -> its values."""

    @property
    def protocols(self) -> set[str]:
        return set(self["frame.protocols"][0].split(":"))

    def at(self, side: str) -> str:
        """The address of that side."""
        return (self[f"ip.{side}"] or self[f"ipv6.{side}"])[-1]


@pytest.fixture(scope="module")
def june() -> list[HomeDay]:
    return list(home_days(seed=5, months=1, scale=0.8, newest=13))


@pytest.fixture(scope="module")
def two_months() -> list[HomeDay]:
    return list(home_days(seed=2, months=2, scale=0.3))


@pytest.fixture(scope="module", params=[18, 24], ids=["usual day", "day of the hammer"])
def shown(
    request: pytest.FixtureRequest, june: list[HomeDay], tmp_path_factory: pytest.TempPathFactory
) -> tuple[HomeDay, Path]:
    chosen = next(day for day in june if day.begin.day == request.param)
    path = tmp_path_factory.mktemp("sample") / chosen.file_name
    write_pcap(path, chosen.frames)
    return chosen, path


@pytest.fixture(scope="module")
def seen(shown: tuple[HomeDay, Path]) -> list[Seen]:
    """Every packet of the day."""
    rows = tshark(shown[1], "frame", *SHOWN)
    return [
        Seen(zip(SHOWN, ([value for value in cell.split("|") if value] for cell in row), strict=True)) for row in rows
    ]


def claims(shown_day: HomeDay, kind: str) -> Counter[tuple[str, str]]:
    return Counter((text_of(said.client), said.text) for said in shown_day.said if said.kind == kind)


def test_same_seed_same_bytes_and_another_seed_other_bytes(tmp_path: Path) -> None:
    one, two, other = (
        write_home(tmp_path / name, seed=seed, months=1, scale=0.1) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert [path.name for path in one] == [path.name for path in two] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert all(path.read_bytes() != another.read_bytes() for path, another in zip(one, other, strict=True))


def test_every_file_holds_its_own_day_in_order_of_time(tmp_path: Path) -> None:
    for path in write_home(tmp_path, seed=4, months=1, scale=0.2):
        found = times(path)
        assert found == sorted(found)
        begin = begin_of(path.name)
        assert begin <= found[0]
        assert found[-1] < begin // 86_400_000_000 * 86_400_000_000 + 86_400_000_000


@pytest.mark.parametrize(("months", "scale"), [(0, 1.0), (1, 0.0), (1, -1.0)])
def test_an_impossible_home_is_refused(months: int, scale: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one month"):
        write_home(tmp_path, months=months, scale=scale)
    assert not list(tmp_path.iterdir())


def test_shares_no_code_with_the_decoders() -> None:
    for path in Path(appliance.sample.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in ("daemon", "web", "dpkt")], path.name


def told(packet: Seen) -> tuple[str, list[str], list[str]]:
    """What helps to find a packet that should not be there."""
    return packet["frame.number"][0], packet["frame.protocols"], packet["_ws.col.Info"]


def test_the_independent_reader_would_say_what_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "odd.pcap").write_bytes(pcap([(START_US, udp_frame(bytes(11), HOST, SERVER, 40_000, 53))]))
    ((malformed,),) = tshark(tmp_path / "odd.pcap", "frame", "_ws.malformed")
    assert malformed


def test_an_independent_reader_finds_nothing_malformed(seen: list[Seen]) -> None:
    assert [told(packet) for packet in seen if packet["_ws.malformed"]] == []


def test_an_independent_reader_finds_no_wrong_checksum(seen: list[Seen]) -> None:
    judged = Counter(status for packet in seen for name in SUMS for status in packet[f"{name}.checksum.status"])
    assert judged["1"] > len(seen) // 2  # right, not just unverified
    # Errors quote the first bytes of a packet only, whose checksum cannot be verified.
    wrong = [packet for packet in seen if any("0" in packet[f"{name}.checksum.status"] for name in SUMS)]
    assert [told(packet) for packet in wrong if "3" not in packet["icmp.type"]] == []


@pytest.mark.parametrize("kind", ["tls", "quic"])
def test_an_independent_reader_finds_every_name_in_a_hello(
    shown: tuple[HomeDay, Path], seen: list[Seen], kind: str
) -> None:
    said = claims(shown[0], kind)
    assert len(said) > 3
    named = [packet for packet in seen if packet[NAME] and ("quic" in packet.protocols) == (kind == "quic")]
    assert Counter((packet.at("src"), "|".join(packet[NAME])) for packet in named) == said


def test_an_independent_reader_finds_every_dns_answer(shown: tuple[HomeDay, Path], seen: list[Seen]) -> None:
    found: Counter[tuple[str, str, str]] = Counter()
    for packet in seen:
        if not TRUE & set(packet["dns.flags.response"]) or packet.protocols & {"mdns", "nbns", "llmnr"}:
            continue
        for kind, field in (("1", "dns.a"), ("28", "dns.aaaa"), ("5", "dns.cname")):
            found.update((packet.at("dst"), kind, value) for value in packet[field])
        found[packet.at("dst"), "65", "."] += packet["dns.resp.type"].count("65")
    said = Counter((text_of(item.client), *item.text.split(" ")[1:]) for item in shown[0].said if item.kind == "dns")
    assert len(said) > 50
    assert +found == said


def test_an_independent_reader_finds_every_host_asked_over_plain_http(
    shown: tuple[HomeDay, Path], seen: list[Seen]
) -> None:
    said = claims(shown[0], "http")
    assert said
    asked = [packet for packet in seen if packet["http.host"] and "tcp" in packet.protocols]
    assert Counter((packet.at("src"), "|".join(packet["http.host"])) for packet in asked) == said


def test_an_independent_reader_finds_every_dhcp_name(shown: tuple[HomeDay, Path], seen: list[Seen]) -> None:
    said = claims(shown[0], "dhcp")
    assert len(said) >= 13
    asked = [packet for packet in seen if "3" in packet["dhcp.option.dhcp"]]
    assert Counter((packet.at("src"), "|".join(packet["dhcp.option.hostname"])) for packet in asked) == said


def test_an_independent_reader_finds_the_protocols_of_a_home(seen: list[Seen]) -> None:
    wanted = {
        "arp", "icmp", "icmpv6", "igmp", "dhcp", "dns", "mdns", "ssdp", "llmnr", "nbns", "ntp", "lldp", "ieee1905",
        "tls", "quic", "http",
    }  # fmt: skip
    assert wanted <= {protocol for packet in seen for protocol in packet.protocols}


def test_certificates_are_readable_and_hellos_come_in_pieces(seen: list[Seen]) -> None:
    signed = [name for packet in seen if "11" in packet["tls.handshake.type"] for name in packet["x509sat.uTF8String"]]
    assert any(name in text for text in signed for name in ("tuyaeu.com", "samsung", "sonos.com"))
    pieces = [packet for packet in seen if "1" in packet["tls.handshake.type"] and packet["tcp.segments"]]
    assert any(
        "0x11ec" in group.lower() for packet in pieces for group in packet["tls.handshake.extensions_supported_group"]
    )
    assert any(packet["tcp.analysis.flags"] for packet in seen)


def names_of(days: list[HomeDay], month: int) -> set[str]:
    return {
        said.text for item in days if item.begin.month == month for said in item.said if said.kind in ("tls", "quic")
    }


def test_the_television_gains_third_parties_in_the_last_month(two_months: list[HomeDay]) -> None:
    gained = names_of(two_months, 6) - names_of(two_months, 5)
    assert {"sb.scorecardresearch.com", "ib.adnxs.com", "events.samba.tv"} <= gained


def test_the_vacuum_wakes_at_night_in_the_last_month(two_months: list[HomeDay]) -> None:
    uploads: Counter[int] = Counter()
    for item in two_months:
        for said in item.said:
            if said.kind == "tls" and "map-upload" in said.text:
                hour = said.time_us // HOUR % 24
                assert 1 <= hour < 3
                uploads[item.begin.month] += 1
    assert uploads[5] == 0
    assert uploads[6] >= 3


def test_the_microcontroller_hammers_one_address(two_months: list[HomeDay]) -> None:
    counts = [
        Counter(frame.data[30:34] for frame in item.frames if frame.data[6:12] == bytes.fromhex("246f28b15d60"))
        for item in two_months
    ]
    assert [max(count.values()) >= 3600 for count in counts].count(True) == 5
    assert all(
        max(count.values()) < 500 for item, count in zip(two_months, counts, strict=True) if item.begin.month == 5
    )


def conversations(frames: list[Frame]) -> set[bytes]:
    """Addresses and ports of the IPv4 TCP packets."""
    return {frame.data[26:38] for frame in frames if frame.data[12:14] == b"\x08\0" and frame.data[23] == 6}


def test_a_conversation_goes_on_over_midnight(june: list[HomeDay]) -> None:
    pairs = [(one, two) for one, two in itertools.pairwise(june) if (two.begin.date() - one.begin.date()).days == 1]
    assert any(conversations(one.frames) & conversations(two.frames) for one, two in pairs)


def answers(said: list[Said], name: str) -> set[str]:
    return {item.text.split(" ")[2] for item in said if item.kind == "dns" and item.text.split(" ")[:2] == [name, "1"]}


def test_one_address_serves_two_brands_and_one_device_has_its_own_resolver(two_months: list[HomeDay]) -> None:
    said = [item for day in two_months for item in day.said]
    edge = answers(said, "d2shared7x4k1q.cloudfront.net")
    owners = {item.text.split(" ")[0] for item in said if item.text.endswith(" d2shared7x4k1q.cloudfront.net")}
    assert owners == {"update.sonos.com", "image.roku.com"}
    assert edge
    google = bytes([8, 8, 8, 8])
    askers = {f.data[26:30] for day in two_months for f in day.frames if f.data[30:34] == google and f.data[23] == 17}
    assert askers == {bytes([192, 168, 50, 28])}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("busy") / "day.pcap"
    write_day(path, seed=7, packets=20_000)
    return path


def test_a_busy_day_is_exact_and_strictly_in_order_of_time(busy: Path) -> None:
    found = times(busy)
    assert len(found) == 20_000
    assert all(one < two for one, two in itertools.pairwise(found))
    assert found[0] // 86_400_000_000 == found[-1] // 86_400_000_000
    assert 860 < busy.stat().st_size / 20_000 - 16 < 940


def test_a_busy_day_repeats_by_seed(busy: Path, tmp_path: Path) -> None:
    write_day(tmp_path / "same.pcap", seed=7, packets=20_000)
    write_day(tmp_path / "other.pcap", seed=8, packets=20_000)
    assert (tmp_path / "same.pcap").read_bytes() == busy.read_bytes()
    assert (tmp_path / "other.pcap").read_bytes() != busy.read_bytes()


@pytest.mark.parametrize("packets", [1, 7, 100, 9_999])
def test_a_busy_day_of_several_slices_is_one_day(packets: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy_day, "SLICE", 2_500)
    write_day(tmp_path / "day.pcap", seed=1, packets=packets)
    found = times(tmp_path / "day.pcap")
    assert len(found) == packets
    assert all(one < two for one, two in itertools.pairwise(found))


def test_an_independent_reader_finds_nothing_malformed_in_a_busy_day(busy: Path) -> None:
    # The day's TCP and UDP checksums are arbitrary and say so; those of IPv4 are right.
    odd = "_ws.malformed || ip.checksum.status == 0"
    assert tshark(busy, odd, "frame.number", "_ws.col.Info", verify=False) == []


def test_a_busy_day_has_the_stated_mix(busy: Path) -> None:
    name = "tls.handshake.extensions_server_name"
    wanted = f"{name} || (dns.flags.response == 1 && !mdns) || ipv6"
    rows = tshark(busy, wanted, "udp.stream", name, "dns.flags.response", "ipv6.src", verify=False)
    secure = sum(1 for row in rows if row[1] and not row[0])
    quick = sum(1 for row in rows if row[1] and row[0])
    # The table's 5,200, 1,900 and 15,000 a million, for a fiftieth of a million.
    assert 100 <= secure <= 108
    assert 36 <= quick <= 40
    assert 300 <= sum(1 for row in rows if row[2] == "1") <= 304
    assert 0.2 < sum(1 for row in rows if row[3]) / 20_000 < 0.4
