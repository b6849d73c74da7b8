"""What goes on without anybody doing anything: leases, neighbours, groups, announcements, the access point's frames."""

from __future__ import annotations

import struct

from appliance.sample import dns, http, lan, wire
from appliance.sample.chance import chance
from appliance.sample.device import Device
from appliance.sample.devices import GATEWAY_MAC
from appliance.sample.diary import DAY, DOMAIN, HOUR, LINK, NET4, SECOND, Diary
from appliance.sample.wire import End, Frame

MLD_ROUTERS = bytes.fromhex("ff02") + bytes(13) + b"\x16"


def arrive(diary: Diary, *, new: bool) -> None:
    """A device joins or renews: DHCP, a probe for its address, IPv6 set-up, group reports, its own presentation."""
    device, rng = diary.device, diary.rng
    clock = diary.some_time((device.present[0], device.present[0] + 1))
    clock = _lease(diary, clock, new=new)
    own, gateway = diary.own(4), diary.gateway(4)
    diary.add(clock, lan.arp(1, End(device.mac, lan.ANY4), End(bytes(6), own.address)))
    clock += 400_000
    if device.ip6:
        clock = _configure6(diary, clock)
    groups = [lan.MDNS4] if device.mdns else []
    groups += [lan.SSDP4] if device.ssdp[0] or device.searches else []
    for address in groups:
        diary.add(clock, lan.group_report4(own, address))
        clock += rng.randrange(80_000, 900_000)
    diary.add(clock, lan.arp(1, own, gateway))
    diary.add(clock + 350, lan.arp(2, gateway, own))


def _lease(diary: Diary, clock: int, *, new: bool) -> int:
    device, rng = diary.device, diary.rng
    ident = rng.getrandbits(32)
    gateway, own = diary.gateway(4), diary.address4

    def ask(kind: int, using: bytes, asked: bytes) -> bytes:
        wanted = device.options
        return lan.dhcp_client(device.mac, using, ident, kind, device.hostname, device.vendor_class, wanted, asked)

    if new:
        diary.add(clock, ask(lan.DISCOVER, lan.ANY4, b""))
        diary.add(clock + 3_000, lan.dhcp_server(gateway, device.mac, own, ident, lan.OFFER, DOMAIN))
        clock += 9_000
    using = lan.ANY4 if new else own
    diary.add(clock, ask(lan.REQUEST, using, own if new else b""))
    diary.claim("dhcp", clock, using, device.hostname)
    diary.add(clock + 2_500, lan.dhcp_server(gateway, device.mac, own, ident, lan.ACKNOWLEDGE, DOMAIN))
    return clock + 60_000


def _configure6(diary: Diary, clock: int) -> int:
    device = diary.device
    local = End(device.mac, diary.link_local)
    router = End(GATEWAY_MAC, LINK + bytes(7) + b"\1")
    nobody = End(device.mac, bytes(16))
    diary.add(
        clock, _listener_report(local, [lan.MDNS6] if device.mdns else [bytes.fromhex("ff02") + bytes(12) + b"\1\3"])
    )
    diary.add(clock + 10_000, lan.neighbour_solicitation(nobody, diary.link_local))
    diary.add(clock + SECOND, lan.router_solicitation(local))
    diary.add(clock + SECOND + 8_000, lan.router_advertisement(router, diary.prefix, diary.gateway6))
    diary.add(clock + SECOND + 60_000, lan.neighbour_solicitation(nobody, diary.address6))
    return clock + 3 * SECOND


def _listener_report(host: End, groups: list[bytes]) -> bytes:
    """An MLDv2 report behind a hop-by-hop router alert (RFC 3810 section 5)."""
    to = lan.group(MLD_ROUTERS, 0)
    body = struct.pack(">HH", 0, len(groups)) + b"".join(struct.pack(">BBH", 4, 0, 0) + address for address in groups)
    report = wire.icmp6_message(host.address, to.address, 143, body)
    alert = bytes([wire.ICMP6, 0, 5, 2, 0, 0, 1, 0])
    return wire.ether(to.mac, host.mac, wire.ETH_IP6, wire.ip6(host.address, to.address, 0, alert + report, hops=1))


def keep_neighbours(diary: Diary, times: int) -> None:
    """ARP and neighbour discovery between the device and the gateway."""
    own, gateway = diary.own(4), diary.gateway(4)
    router, local = End(GATEWAY_MAC, LINK + bytes(7) + b"\1"), End(diary.device.mac, diary.link_local)
    for _ in range(times):
        clock = diary.some_time((0, 24))
        diary.add(clock, lan.arp(1, gateway, own))
        diary.add(clock + 1_900, lan.arp(2, own, gateway))
        if diary.address6:
            diary.add(clock + 50_000, lan.neighbour_solicitation(local, router.address))
            diary.add(clock + 50_600, lan.neighbour_advertisement(router, local, router=True))
            diary.add(clock + 90_000, lan.neighbour_solicitation(router, diary.address6))
            diary.add(clock + 93_000, lan.neighbour_advertisement(diary.own(6), router, router=False))


def _announcement(device: Device, address4: bytes, address6: bytes) -> bytes:
    host = f"{device.mdns_host}.local"
    pointers, facts = [], []
    for item in device.mdns:
        service, name = f"{item.service}.local", f"{item.instance}.{item.service}.local"
        pointers.append(dns.Record(service, dns.PTR, 4500, (name,)))
        pointers.append(dns.Record("_services._dns-sd._udp.local", dns.PTR, 4500, (service,)))
        facts.append(dns.Record(name, dns.SRV, 120, dns.srv(item.port, host), dns.FLUSH))
        facts.append(dns.Record(name, dns.TXT, 4500, dns.txt(item.text), dns.FLUSH))
    facts.append(dns.Record(host, dns.A, 120, (address4,), dns.FLUSH))
    if address6:
        facts.append(dns.Record(host, dns.AAAA, 120, (address6,), dns.FLUSH))
    return dns.message(0, dns.MULTICAST_ANSWER, (), tuple(pointers + facts))


def announce(diary: Diary, times: int) -> None:
    """Multicast DNS announcements and questions, SSDP notices and searches, as far as the device speaks them."""
    device, rng = diary.device, diary.rng
    own = diary.own(4, 5353)
    for _ in range(times):
        clock = diary.some_time((0, 24))
        if device.mdns:
            message = _announcement(device, diary.address4, diary.link_local if device.ip6 else b"")
            diary.add(clock, lan.mdns(own, message))
            if device.ip6:
                diary.add(clock + 900, lan.mdns(End(device.mac, diary.link_local, 5353), message))
            asked = rng.choice(
                ("_airplay._tcp.local", "_googlecast._tcp.local", "_spotify-connect._tcp.local", "_ipp._tcp.local")
            )
            diary.add(clock + SECOND, lan.mdns(own, dns.message(0, 0, (dns.Question(asked, dns.PTR),))))
        if device.ssdp[0]:
            _notices(diary, clock + 2 * SECOND)
        if device.searches:
            diary.add(clock + 3 * SECOND, lan.ssdp_search(diary.own(4, diary.port()), device.searches))
        if device.windows:
            _windows(diary, clock + 4 * SECOND)


def _notices(diary: Diary, clock: int) -> None:
    server, kind = diary.device.ssdp
    serial = "uuid:" + chance("serial", diary.device.key).randbytes(8).hex()
    where = f"http://{'.'.join(map(str, diary.address4))}:1400/description.xml"
    source = diary.own(4, 1900)
    for number, target in enumerate(("upnp:rootdevice", kind)):
        diary.add(clock + number * 120_000, lan.ssdp(source, http.ssdp_alive(where, server, target, serial)))


def _windows(diary: Diary, clock: int) -> None:
    """A Windows PC registers its name and asks for the proxy that nobody has."""
    rng, name = diary.rng, diary.device.hostname
    for number, suffix in enumerate((0x00, 0x20)):
        ident = rng.getrandbits(16)
        diary.add(clock + number * 750_000, lan.netbios_registration(diary.own(4), NET4 + b"\xff", ident, name, suffix))
    for own in (diary.own(4, diary.port()), End(diary.device.mac, diary.link_local, diary.port())):
        diary.add(clock + SECOND, lan.llmnr(own, rng.getrandbits(16), "wpad", dns.A))
    diary.ask_in_vain(f"wpad.{DOMAIN}", clock + 2 * SECOND)


def access_point(day_us: int, begin_us: int, prefix: bytes) -> list[Frame]:
    """The gateway's own frames of a day: advertisements, group queries, LLDP and IEEE 1905 topology discovery."""
    router6 = End(GATEWAY_MAC, LINK + bytes(7) + b"\1")
    router4 = End(GATEWAY_MAC, NET4 + b"\1")
    resolver = prefix + bytes(7) + b"\1"
    frames = []
    for clock in range(day_us + 7 * SECOND, day_us + DAY, HOUR // 2):
        frames.append(Frame(clock, lan.router_advertisement(router6, prefix, resolver)))
        if clock // (HOUR // 2) % 2:
            frames.append(Frame(clock + 2 * SECOND, lan.group_query4(router4)))
            frames.append(
                Frame(clock + 3 * SECOND, lan.lldp(GATEWAY_MAC, "wlan0", "homeport", "Homeport access point"))
            )
            frames.append(Frame(clock + 4 * SECOND, lan.ieee1905(GATEWAY_MAC, clock // HOUR & 0xFFFF)))
    return [frame for frame in frames if frame.time_us >= begin_us]
