"""Recipes around DHCP, DNS and plain HTTP."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from tests.support.lab import (
    AP_V4,
    AP_V6,
    CLIENT_MAC,
    CLIENT_V4,
    OTHER_MAC,
    UPSTREAM_V4,
    UPSTREAM_V6,
    Namespace,
    wait_until,
)
from tests.support.record.studio import Recipe, Take, curl

API, CDN, EDGE = "api.vendor.example", "img.vendor.example", "e42.edge.cdn.example"
ZONE = (
    f"host-record={API},{UPSTREAM_V4[0]},{UPSTREAM_V6[0]}",
    f"host-record={EDGE},{UPSTREAM_V4[1]},{UPSTREAM_V6[1]}",
    f"cname=img.cdn.example,{EDGE}",
    f"cname={CDN},img.cdn.example",
    "txt-record=vendor.example,v=spf1 -all,second string",
    "srv-host=_mqtt._tcp.vendor.example,mqtt.vendor.example,8883,1,2",
    "mx-host=vendor.example,mail.vendor.example,10",
    # HTTPS record (RFC 9460): priority 1, target ".", alpn h2,h3 - dnsmasq takes the RDATA as hexadecimal
    f"dns-rr={API},65,0001000001000602683202" + "6833",
    "local-ttl=300",
)


def dnsmasq(machine: Namespace, *lines: str, zone: Sequence[str] = ZONE) -> None:
    """Start dnsmasq for *.example on `machine`, without upstream servers, files of the host or a pid file."""
    config = machine.folder / f"dnsmasq-{machine.name}.conf"
    common = ("no-hosts", "no-resolv", "pid-file", "user=root", "local=/example/", "keep-in-foreground", "port=53")
    config.write_text("\n".join([*common, *zone, *lines]) + "\n")
    machine.serve(53, "dnsmasq", f"--conf-file={config}", kind=socket.SOCK_DGRAM)


def web(machine: Namespace, port: int = 80) -> None:
    """A small web server that keeps connections alive."""
    root = machine.folder / "www"
    root.mkdir(exist_ok=True)
    for name in ("index.html", "status", "update"):
        (root / name).write_text(f"<p>{name}</p>\n")
    config = machine.folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {machine.folder}/nginx.pid; error_log stderr; user root; worker_processes 1;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; server {{ listen {port}; listen [::]:{port}; root {root}; keepalive_timeout "
        f"60; }} }}\n"
    )
    machine.serve(port, "nginx", "-e", "stderr", "-c", str(config))


def _udhcpc(take: Take) -> None:
    script = take.lab.folder / "udhcpc.sh"
    script.write_text(
        '#!/bin/sh\n[ "$1" = bound ] || exit 0\nip address add "$ip/24" dev "$interface"\nip route add default '
        'via "$router"\n'
    )
    script.chmod(0o755)
    take.lab.client.run(
        "udhcpc",
        "-i",
        "eth0",
        "-n",
        "-q",
        "-t",
        "5",
        "-T",
        "1",
        "-x",
        "hostname:living-room-tv",
        "-V",
        "vendor-tv 4.2",
        "-s",
        str(script),
    )


def _dhclient(take: Take) -> None:
    config, folder = take.lab.folder / "dhclient.conf", take.lab.folder
    config.write_text(
        'send host-name "Kitchen-Speaker";\nsend vendor-class-identifier "speaker:1.0";\n'
        'send fqdn.fqdn "kitchen-speaker.home.example.";\nsend fqdn.encoded on;\ninitial-interval 1;\n'
        "request subnet-mask, routers, domain-name-servers, host-name, interface-mtu;\n"
    )
    script = folder / "dhclient.sh"
    script.write_text(
        '#!/bin/sh\n[ -n "$new_ip_address" ] && ip address replace "$new_ip_address/24" dev "$interface"\nexit 0\n'
    )
    script.chmod(0o755)
    take.lab.other.run(
        "dhclient",
        "-1",
        "-v",
        "-cf",
        str(config),
        "-sf",
        str(script),
        "-lf",
        str(folder / "leases"),
        "-pf",
        str(folder / "dhclient.pid"),
        "eth0",
    )
    take.lab.other.run(
        "dhclient", "-x", "-cf", str(config), "-lf", str(folder / "leases"), "-pf", str(folder / "dhclient.pid"), "eth0"
    )


def _dhcp_dns_http(take: Take) -> None:
    lab = take.lab
    dnsmasq(
        lab.ap,
        "interface=wlan0",
        "bind-dynamic",
        "enable-ra",
        "dhcp-authoritative",
        "no-ping",
        f"dhcp-leasefile={lab.folder}/leases.dnsmasq",
        "dhcp-range=192.168.50.20,192.168.50.99,12h",
        "dhcp-range=2001:db8:50::,ra-stateless,64,12h",
        f"dhcp-host={CLIENT_MAC},{CLIENT_V4}",
        "domain=home.example",
    )
    web(lab.upstream)
    lab.client.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=1", "net.ipv6.conf.eth0.accept_ra=1")
    lab.client.run("ip", "link", "set", "eth0", "down")
    with take.rolling():
        lab.client.run("ip", "link", "set", "eth0", "up")
        _udhcpc(take)
        _dhclient(take)
        slaac = "2001:db8:50:0:20e:58ff:fe50:20"
        wait_until(
            lambda: (
                "tentative" not in (told := lab.client.run("ip", "-6", "address", "show", "scope", "global"))
                and slaac[:13] in told
            ),
            "an address by router advertisement",
        )
        asked = _ask(lab.client)
        _http(take)
    _expect_names(take, asked)


def _ask(client: Namespace) -> list[tuple[str, str, str, str]]:
    """Put questions with dig: (resolver, transport, name, type) of each."""
    asked = []
    for resolver, transport, name, kind in (
        (AP_V4, "udp", API, "A"),
        (AP_V4, "udp", API, "AAAA"),
        (AP_V4, "udp", API, "HTTPS"),
        (AP_V4, "udp", CDN, "A"),
        (AP_V4, "udp", "MiXeD.Vendor.Example", "A"),
        (AP_V4, "udp", "nothing.vendor.example", "A"),
        (AP_V4, "udp", "_mqtt._tcp.vendor.example", "SRV"),
        (AP_V4, "udp", "vendor.example", "TXT"),
        (AP_V4, "udp", "vendor.example", "MX"),
        (AP_V6, "udp", CDN, "AAAA"),
        (AP_V4, "tcp", API, "A"),
        (AP_V6, "tcp", CDN, "A"),
    ):
        client.run(
            "dig", "+tries=1", "+time=2", f"+{'tcp' if transport == 'tcp' else 'notcp'}", f"@{resolver}", name, kind
        )
        asked.append((resolver, transport, name.lower(), kind))
    # RFC 7766 section 6.2.1.1: several questions on one connection, sent before the first answer, and cut mid-length
    with client.entered():
        connection = socket.create_connection((AP_V4, 53))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire = b"".join(
        len(q).to_bytes(2, "big") + q for q in (question(1, API, 1), question(2, API, 28), question(3, EDGE, 1))
    )
    for start, end in ((0, 1), (1, 20), (20, 60), (60, len(wire))):
        connection.sendall(wire[start:end])
        time.sleep(0.02)
    got = b""
    while got.count(b"vendor") + got.count(b"edge") < 3:
        got += connection.recv(4096)
    connection.close()
    return [*asked, (AP_V4, "tcp", API, "A"), (AP_V4, "tcp", API, "AAAA"), (AP_V4, "tcp", EDGE, "A")]


def question(number: int, name: str, kind: int) -> bytes:
    """One DNS query (RFC 1035 section 4.1), recursion desired."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        number.to_bytes(2, "big") + b"\x01\x00\x00\x01\0\0\0\0\0\0" + labels + b"\0" + kind.to_bytes(2, "big") + b"\0\1"
    )


def _http(take: Take) -> None:
    client, server = take.lab.client, UPSTREAM_V4[0]
    # curl asks three times over one connection
    port = int(
        client.run(
            "curl",
            "-sS",
            "-A",
            "VendorTV/4.2 (Linux)",
            "-w",
            "%{local_port}\n",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            "--resolve",
            f"{API}:80:{server}",
            f"http://{API}/",
            f"http://{API}/status",
            f"http://{API}/update",
        ).split()[0]
    )
    take.flow("tcp", CLIENT_V4, port, server, 80, service="http", end="fin", server_name=API)
    six = curl(client, UPSTREAM_V6[1], f"http://{CDN}/status", "-A", "VendorTV/4.2 (Linux)", "-I")
    take.flow(
        "tcp",
        "2001:db8:50:0:20e:58ff:fe50:20",
        six,
        UPSTREAM_V6[1],
        80,
        ip_version=6,
        service="http",
        end="fin",
        server_name=CDN,
    )
    # four requests written before the first response (RFC 9112 section 9.3.2), the third cut in two segments
    with client.entered():
        pipe = socket.create_connection((UPSTREAM_V4[1], 80))
    pipe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    requests = b"".join(
        f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: pipe/1\r\n\r\n".encode()
        for path, host in (("status", CDN), ("update", CDN), ("", "Other.Vendor.Example:80"), ("status", CDN))
    )
    cut = requests.index(b"Other.") + 3
    pipe.sendall(requests[:cut])
    time.sleep(0.05)
    pipe.sendall(requests[cut:])
    got = b""
    while got.count(b"HTTP/1.1 200") < 4:
        got += pipe.recv(4096)
    take.flow("tcp", CLIENT_V4, pipe.getsockname()[1], UPSTREAM_V4[1], 80, service="http", end="fin")
    pipe.close()
    rows = [[API, server, 80, "GET", "VendorTV/4.2 (Linux)"]] * 3 + [
        [CDN, UPSTREAM_V6[1], 80, "HEAD", "VendorTV/4.2 (Linux)"]
    ]
    rows += [[name, UPSTREAM_V4[1], 80, "GET", "pipe/1"] for name in (CDN, CDN, "other.vendor.example:80", CDN)]
    take.expect("hellos", "name server_address server_port method user_agent", rows, where={"source": "http"})


def _expect_names(take: Take, asked: list[tuple[str, str, str, str]]) -> None:
    take.expect("dns_queries", "resolver_address transport name type", asked)
    take.expect(
        "dns_responses",
        "resolver_address transport name type rcode",
        [(*q, "NXDOMAIN" if q[2] in ("nothing.vendor.example", "mixed.vendor.example") else "NOERROR") for q in asked],
    )
    chain = [(CDN, CDN, "CNAME", "img.cdn.example"), (CDN, "img.cdn.example", "CNAME", EDGE)]
    four, six = (CDN, EDGE, "A", UPSTREAM_V4[1]), (CDN, EDGE, "AAAA", UPSTREAM_V6[1])
    take.expect(
        "dns_answers",
        "query_name name type value",
        [
            *[(API, API, "A", UPSTREAM_V4[0])] * 3,
            *[(API, API, "AAAA", UPSTREAM_V6[0])] * 2,
            *chain * 3,
            *[four] * 2,
            six,
            (EDGE, EDGE, "A", UPSTREAM_V4[1]),
        ],
        match="some",
        where={"section": "answer"},
    )
    take.expect(
        "dns_answers",
        "query_name name type",
        [
            ("_mqtt._tcp.vendor.example", "_mqtt._tcp.vendor.example", "SRV"),
            ("vendor.example", "vendor.example", "TXT"),
            ("vendor.example", "vendor.example", "MX"),
            (API, API, "HTTPS"),
        ],
        match="some",
        where={"section": "answer"},
    )
    take.expect(
        "device_hints",
        "mac source key value",
        [
            (CLIENT_MAC, "dhcp", "hostname", "living-room-tv"),
            (CLIENT_MAC, "dhcp", "vendor_class", "vendor-tv 4.2"),
            (OTHER_MAC, "dhcp", "hostname", "Kitchen-Speaker"),
            (OTHER_MAC, "dhcp", "vendor_class", "speaker:1.0"),
        ],
        match="some",
    )
    take.expect(
        "local_networks",
        "prefix",
        [("2001:db8:50::/64",)],
        match="some",
        why="announced by dnsmasq in router advertisements",
    )
    take.expect("devices", "mac", [(CLIENT_MAC,), (OTHER_MAC,)], match="some")


RECIPES = (
    Recipe(
        "dhcp_dns_http",
        "A TV (udhcpc) and a speaker (dhclient) join; the TV gets an IPv6 address by router advertisement, asks "
        "dnsmasq by UDP and TCP, "
        "and fetches pages: kept alive (curl), pipelined (a socket).",
        _dhcp_dns_http,
        ("dnsmasq", "udhcpc", "dhclient", "dig", "curl", "nginx"),
        configure_clients=False,
    ),
)
