"""Where the sample home's devices send things: operators with their address blocks, and names as those devices ask for.

Rules:
1. Names and blocks are plain public facts of vendors, clouds and trackers; nothing is ever contacted.
2. An address is a pure function of the operator and of the name at the end of the CNAME chain: equal ends share it.
3. An empty `tls` means that the name is only used by other protocols.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from dataclasses import dataclass
from typing import NamedTuple


class Operator(NamedTuple):
    """Who runs the servers: organisation as a certificate names it, IPv4 blocks, an IPv6 block or nothing."""

    organisation: str
    blocks4: tuple[str, ...]
    block6: str = ""


OPERATORS = {
    "aws-eu1": Operator("Amazon", ("54.72.0.0/14", "34.240.0.0/13", "52.208.0.0/13"), "2a05:d018::/36"),
    "aws-eu2": Operator("Amazon", ("3.120.0.0/14", "18.184.0.0/15", "35.156.0.0/14"), "2a05:d014::/36"),
    "aws-us1": Operator("Amazon", ("3.208.0.0/12", "54.224.0.0/12", "34.192.0.0/12"), "2600:1f18::/33"),
    "s3-us1": Operator("Amazon", ("52.216.0.0/15",)),
    "s3-eu1": Operator("Amazon", ("52.218.0.0/17",)),
    "amazon": Operator("Amazon.com, Inc.", ("52.94.216.0/21", "52.95.112.0/20")),
    "cloudfront": Operator("Amazon", ("13.224.0.0/14", "18.64.0.0/14", "108.156.0.0/14"), "2600:9000:2000::/36"),
    "google": Operator(
        "Google LLC", ("142.250.0.0/15", "172.217.16.0/20", "216.58.208.0/20"), "2a00:1450:4001:800::/56"
    ),
    "google-cloud": Operator("Google LLC", ("34.107.128.0/17", "35.190.0.0/17"), "2600:1901::/48"),
    "google-dns": Operator("Google LLC", ("8.8.8.8/32",), "2001:4860:4860::8888/128"),
    "cloudflare": Operator("Cloudflare, Inc.", ("104.16.0.0/14", "172.64.0.0/15"), "2606:4700::/44"),
    "akamai": Operator(
        "Akamai Technologies, Inc.", ("23.32.0.0/13", "2.16.0.0/14", "184.24.0.0/14"), "2a02:26f0:e00::/40"
    ),
    "fastly": Operator("Fastly, Inc.", ("151.101.0.0/17", "199.232.0.0/17"), "2a04:4e42::/36"),
    "apple": Operator("Apple Inc.", ("17.253.0.0/17", "17.57.144.0/22", "17.248.128.0/18"), "2620:149:a00::/40"),
    "microsoft": Operator(
        "Microsoft Corporation", ("20.190.128.0/18", "13.107.0.0/18", "52.112.0.0/15"), "2603:1026::/32"
    ),
    "netflix": Operator("Netflix, Inc.", ("45.57.0.0/18", "198.38.96.0/19"), "2a00:86c0:1000::/40"),
    "meta": Operator("Meta Platforms, Inc.", ("157.240.0.0/17", "31.13.64.0/19"), "2a03:2880:f100::/40"),
    "samsung": Operator("Samsung Electronics", ("112.106.176.0/21",)),
    "comscore": Operator("comScore, Inc.", ("165.193.72.0/22",)),
    "xandr": Operator("Xandr Inc.", ("37.252.170.0/23",)),
    "alibaba-eu": Operator("Alibaba Cloud", ("47.91.64.0/19", "8.209.64.0/19"), "2408:4005::/36"),
    "tencent": Operator("Tencent", ("119.29.0.0/18",)),
    "hp": Operator("HP Inc.", ("15.72.0.0/18",)),
    "roku": Operator("Roku, Inc.", ("35.212.0.0/18",)),
    "hetzner": Operator("", ("78.46.0.0/17", "5.9.0.0/17"), "2a01:4f8:c000::/40"),
    "mullvad": Operator("", ("185.213.154.0/24",)),
    "alibaba-sg": Operator("Alibaba Cloud", ("8.219.0.0/17",)),
    "twitch": Operator("Twitch Interactive, Inc.", ("52.223.192.0/18",)),
    "proton": Operator("Proton AG", ("185.70.42.0/24",)),
    "bbc": Operator("BBC", ("212.58.224.0/19",)),
    "nict": Operator("", ("133.243.238.0/24",)),
    "nic-br": Operator("", ("200.160.0.0/20",)),
    "ovh": Operator("", ("51.91.0.0/16",), "2001:41d0:300::/48"),
    "1984": Operator("", ("93.95.224.0/21",)),
    "root-lu": Operator("", ("94.242.192.0/18",)),
    "go-malta": Operator("", ("78.133.0.0/18",)),
    "hetzner-fi": Operator("", ("95.216.0.0/17",), "2a01:4f9:c000::/40"),
    "telekom": Operator("", ("91.32.0.0/12",)),
    "linode": Operator("", ("45.79.0.0/17",)),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One name that devices ask for. `chain` holds the CNAME targets; `tls` is `1.3`, `1.2` or empty."""

    name: str
    operator: str
    chain: tuple[str, ...] = ()
    tls: str = "1.3"
    quic: bool = False
    https: bool = False
    ttl: int = 300
    count: int = 1


def _place(
    name: str, operator: str, *chain: str, tls: str = "1.3", quic: bool = False, ttl: int = 60, count: int = 1
) -> Place:
    return Place(name, operator, chain, tls, quic, quic, ttl, count)


SHARED_EDGE = (
    "d2shared7x4k1q.cloudfront.net"  # one CDN address that serves Sonos and Roku: an address alone proves no brand
)

_ALL = (
    # Sonos
    _place("msmetrics.ws.sonos.com", "aws-us1", "msmetrics-prod.us-east-1.elb.amazonaws.com", tls="1.2", count=2),
    _place("update.sonos.com", "cloudfront", SHARED_EDGE, tls="1.2", count=2),
    _place("conn-i-0b2c.ws.sonos.com", "aws-eu1", tls="1.2"),
    _place("sonos-logger.s3.amazonaws.com", "s3-us1", "s3-1-w.amazonaws.com", tls="1.2", ttl=5),
    _place("api.spotify.com", "google-cloud", "edge-web.dual-gslb.spotify.com", count=1),
    _place("audio-fa.scdn.co", "fastly", "audio-fa-spotify-com.map.fastly.net", count=2),
    _place("opml.radiotime.com", "aws-us1", tls="1.2"),
    # Amazon Echo
    _place("avs-alexa-4-eu.amazon.com", "amazon"),
    _place("device-metrics-us.amazon.com", "amazon", tls="1.2"),
    _place("dcape-eu.amazon.com", "amazon"),
    _place("arcus-uswest.amazon.com", "cloudfront", "d3n1v2l5u7cgy8.cloudfront.net"),
    _place("spectrum.s3.amazonaws.com", "s3-us1", "s3-1-w.amazonaws.com", tls="", ttl=5),
    _place("ntp-g7g.amazon.com", "amazon", tls="", ttl=60),
    # Samsung television and the companies around it
    _place("osb-eusvc.samsungqbe.com", "aws-eu1", "osb-eu-prd.eu-west-1.elb.amazonaws.com", tls="1.2", count=2),
    _place("api.samsungcloud.com", "aws-eu1"),
    _place("lcprd1.samsungcloudsolution.net", "akamai", "lcprd1.samsungcloud.edgesuite.net", "a1843.b.akamai.net"),
    _place("time.samsungcloudsolution.com", "samsung", tls="1.2"),
    _place("log-ingestion-eu.samsungacr.com", "aws-eu1", "acr-eu.eu-west-1.elb.amazonaws.com", tls="1.2", count=3),
    _place("config.samsungads.com", "cloudfront", "d1x9tvads5.cloudfront.net"),
    _place("nrdp.prod.cloud.netflix.com", "aws-eu1", "nrdp.eu-west-1.prodaa.netflix.com", count=3),
    _place("ipv4-c012-fra001-ix.1.oca.nflxvideo.net", "netflix"),
    _place("www.youtube.com", "google", "youtube-ui.l.google.com", quic=True, count=4),
    _place("rr4---sn-4g5edn6r.googlevideo.com", "google", "rr4.sn-4g5edn6r.googlevideo.com", quic=True),
    _place("pubads.g.doubleclick.net", "google", quic=True),
    _place("sb.scorecardresearch.com", "cloudfront", "d1fjb8kz3comsc.cloudfront.net"),
    _place("ib.adnxs.com", "xandr", "xandr-g-geo.trafficmanager.net", "ib.anycast.adnxs.com", count=3),
    _place("cdn-gl.imrworldwide.com", "akamai", "cdn-gl.nmrodam.com.edgekey.net", "e9957.e9.akamaiedge.net"),
    _place("events.samba.tv", "aws-us1", tls="1.2", count=2),
    # Roku
    _place("api.roku.com", "aws-us1", "api-prd.us-east-1.elb.amazonaws.com", tls="1.2"),
    _place("scribe.logs.roku.com", "roku", tls="1.2"),
    _place("image.roku.com", "cloudfront", SHARED_EDGE, count=2),
    _place("cooper.logs.roku.com", "roku", tls="1.2"),
    _place("securepubads.g.doubleclick.net", "google"),
    # Apple
    _place("gateway.icloud.com", "apple", "gateway.fe2.apple-dns.net", quic=True, count=2),
    _place("init.push.apple.com", "apple", "init.push-apple.com.akadns.net", count=2),
    _place("time.apple.com", "apple", "time.g.aaplimg.com", tls="", count=2),
    _place("captive.apple.com", "apple", "captive.g.aaplimg.com", tls="", count=2),
    _place("bag.itunes.apple.com", "akamai", "bag-cdn.itunes-apple.com.akadns.net", "e673.dsce9.akamaiedge.net"),
    _place("graph.facebook.com", "meta", "star.c10r.facebook.com", quic=True),
    _place("e1.whatsapp.net", "meta", "chat.cdn.whatsapp.net"),
    _place("app-measurement.com", "google", quic=True),
    _place("api2.branch.io", "cloudfront", "d2kx8branch.cloudfront.net", count=2),
    _place("p52-caldav.icloud.com", "apple", "p52-caldav.fe.apple-dns.net"),
    # Browsers
    _place("www.google.com", "google", quic=True),
    _place("www.google-analytics.com", "google", "www-google-analytics.l.google.com", quic=True),
    _place("fonts.gstatic.com", "google", quic=True),
    _place("www.wikipedia.org", "fastly", "dyna.wikimedia.org"),
    _place("www.heise.de", "hetzner"),
    _place("github.com", "microsoft", ttl=60),
    _place("cdn.jsdelivr.net", "fastly", "jsdelivr.map.fastly.net", count=4),
    _place("static.cloudflareinsights.com", "cloudflare", quic=True, count=2),
    _place("discord.com", "cloudflare", quic=True, count=4),
    _place("connect.facebook.net", "meta", "scontent.xx.fbcdn.net", quic=True),
    _place("secure.adnxs.com", "xandr", "xandr-g-geo.trafficmanager.net", "ib.anycast.adnxs.com", count=3),
    _place("mozilla.cloudflare-dns.com", "cloudflare", quic=True, count=2),
    # Windows
    _place("www.msftconnecttest.com", "akamai", "ncsi-geo.trafficmanager.net", "a1961.g2.akamai.net", tls=""),
    _place("settings-win.data.microsoft.com", "microsoft", "settings-prod.trafficmanager.net"),
    _place("v10.events.data.microsoft.com", "microsoft", "win-global-asimov-leafs.trafficmanager.net", tls="1.2"),
    _place("time.windows.com", "microsoft", "twc.trafficmanager.net", tls=""),
    _place("teams.microsoft.com", "microsoft", "teams.office.com", quic=True),
    _place("ctldl.windowsupdate.com", "akamai", "wu-b-net.trafficmanager.net", tls="", count=2),
    # Philips Hue
    _place("ws.meethue.com", "google-cloud", tls="1.2"),
    _place("diagnostics.meethue.com", "google-cloud", tls="1.2"),
    _place("time.meethue.com", "google-cloud", tls=""),
    # White-label bulb on Tuya's platform
    _place("a1.tuyaeu.com", "aws-eu2", "a1-eu.eu-central-1.elb.amazonaws.com", tls="1.2", count=3),
    _place("m1.tuyaeu.com", "aws-eu2", tls="", count=3),
    # Vacuum of a maker that does not exist
    _place("mqtt.dustwalk.example", "hetzner-fi", tls="1.2"),
    _place("api.dustwalk.example", "hetzner-fi", tls="1.2"),
    _place("dustwalk-map-upload.oss-ap-southeast-1.aliyuncs.com", "alibaba-sg", tls="1.2"),
    # Google Nest
    _place("clients3.google.com", "google", "clients.l.google.com", quic=True),
    _place("connectivitycheck.gstatic.com", "google", tls=""),
    _place("time.google.com", "google", tls="", count=4),
    _place("mtalk.google.com", "google", "mobile-gtalk.l.google.com"),
    _place("assistant-s3-pa.googleapis.com", "google"),
    # Printer
    _place("xmpp005.hpeprint.com", "aws-us1", tls="1.2"),
    _place("h10141.www1.hp.com", "hp", tls="1.2"),
    _place("chat.hpeprint.com", "aws-us1", tls="1.2"),
    # White-label camera on the bulb's platform
    _place("ty-eu-storage30.s3.eu-central-1.amazonaws.com", "aws-eu2", "s3-r-w.eu-central-1.amazonaws.com", ttl=5),
    # Microcontroller
    _place("api.thingspeak.com", "aws-us1", tls="", count=2),
    _place("ingest.balcony-air.example", "hetzner", tls="", ttl=3600),
    _place("a.st1.ntp.br", "nic-br", tls=""),
    # Radio, thermostat, plug
    _place("live.harbour-radio.example", "1984", tls=""),
    _place("stream.radio-du-lac.example", "ovh", tls=""),
    _place("menu.wavebox.example", "root-lu", tls="1.2"),
    _place("ntp.nict.jp", "nict", tls="", count=2),
    _place("edge.warmly.example", "root-lu", tls="", ttl=86_400),
    _place("api.warmly.example", "root-lu", tls="1.2"),
    _place("n-devs.tplinkcloud.com", "aws-eu1", tls="1.2", count=2),
    _place("use1-api.tplinkra.com", "aws-us1", tls="1.2", count=2),
    # Films, games, mail, news
    _place("gql.twitch.tv", "fastly", "twitch.map.fastly.net"),
    _place("video-weaver.fra02.hls.ttvnw.net", "twitch"),
    _place("mail.proton.me", "proton"),
    _place("www.bbc.co.uk", "bbc", "www.bbc.co.uk.pri.bbc.co.uk"),
    _place("p52-content.icloud.com", "apple", "p52-content.fe.apple-dns.net"),
    _place("oscdn.apple.com", "akamai", "oscdn.apple.com.akadns.net", "a2047.dscapi9.akamai.net"),
    _place("android.clients.google.com", "google", "android.l.google.com"),
    _place("dns.google", "google-dns"),
    # An office
    _place("build.northlight.example", "linode", tls=""),
    _place("vpn.northlight.example", "linode", tls=""),
    # Everyone
    _place("0.pool.ntp.org", "hetzner", tls="", count=4),
    _place("2.android.pool.ntp.org", "hetzner", tls="", count=4),
    _place("wg-de.vpn-sample.example", "mullvad", tls=""),
    _place("stun.l.google.com", "google", tls=""),
    # Addresses that are built in and never asked for by name
    _place("@resolver", "google-dns", tls=""),
    _place("@relay", "go-malta", tls=""),
    _place("@caller", "telekom", tls=""),
)  # fmt: skip

PLACES = {place.name: place for place in _ALL}


@functools.cache
def addresses(place: Place, version: int) -> tuple[bytes, ...]:
    """The packed addresses behind a name: `count` of IPv4, as many of IPv6 (at most two), or none."""
    operator = OPERATORS[place.operator]
    end = place.chain[-1] if place.chain else place.name
    blocks = operator.blocks4 if version == 4 else (operator.block6,) if operator.block6 else ()
    if not blocks:
        return ()
    found = []
    for number in range(place.count if version == 4 else min(2, place.count)):
        luck = hashlib.sha256(f"{end}/{number}/{version}".encode()).digest()
        block = ipaddress.ip_network(blocks[luck[0] % len(blocks)])
        # Clouds number hosts sparsely in IPv6: a random subnet and a random low part are what one sees.
        spare = block.max_prefixlen - block.prefixlen
        offset = int.from_bytes(luck[1:17], "big") % (1 << spare) if spare else 0
        if spare > 1 and offset in (0, (1 << spare) - 1):
            offset = 1
        found.append((block.network_address + offset).packed)
    return tuple(dict.fromkeys(found))
