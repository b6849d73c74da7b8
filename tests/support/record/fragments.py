"""Recipe of fragments: answers longer than the link carries, cut by the kernel."""

from __future__ import annotations

from tests.support.lab import AP_V4, AP_V6, CLIENT_V4, CLIENT_V6, LabError
from tests.support.record.names import dnsmasq
from tests.support.record.studio import Recipe, Take

BIG = "big.vendor.example"
PARTS = tuple(",".join(f"{letter}{number}-" + letter * 200 for number in range(4)) for letter in "abc")


def _fragments(take: Take) -> None:
    ap, client = take.lab.ap, take.lab.client
    zone = [f"txt-record={BIG},{part}" for part in PARTS]
    dnsmasq(ap, "interface=wlan0", "bind-dynamic", "edns-packet-max=4096", zone=zone)
    with take.rolling():
        for me, resolver, mtu, size in ((CLIENT_V6, AP_V6, 1280, 3000), (CLIENT_V4, AP_V4, 576, 1400)):
            ap.run("ip", "link", "set", "wlan0", "mtu", str(mtu))
            told = client.run(
                "dig", "+notcp", "+bufsize=4096", "+tries=1", "+time=3", "-b", f"{me}#49000", f"@{resolver}", BIG, "TXT"
            )
            if "c3-" not in told:
                raise LabError(told)
            client.run("ping", "-c", "1", "-W", "2", "-s", str(size), resolver)
    take.expect("dns_queries", "resolver_address transport name type", [[r, "udp", BIG, "TXT"] for r in (AP_V6, AP_V4)])
    take.expect(
        "dns_answers",
        "resolver_address query_name name type",
        [[r, BIG, BIG, "TXT"] for r in (AP_V6, AP_V4) for _ in PARTS],
        where={"section": "answer"},
        why="three records in a datagram of 2,500 bytes, reassembled from fragments",
    )
    take.flow("udp", CLIENT_V6, 49000, AP_V6, 53, ip_version=6, service="dns")
    take.flow("udp", CLIENT_V4, 49000, AP_V4, 53, service="dns")


RECIPES = (
    Recipe(
        "fragments",
        "Three TXT records of 800 bytes in one answer, over IPv6 at 1,280 bytes a packet and IPv4 at 576; long pings.",
        _fragments,
        ("dnsmasq", "dig"),
    ),
)
