"""Who lives in the sample home: devices with their maker's MAC block, their own names, and what they are used to do.

Rules: a table; nothing here runs. Bytes and rates are those of the kind of device, scaled to a demonstration.
"""

from __future__ import annotations

from appliance.sample.device import Announcement, Device, Habit, mac
from appliance.sample.gadgets import CAMERA, ESP32, PLUG, RADIO, THERMOSTAT, VACUUM, VISITOR

GATEWAY_MAC = mac("d8:3a:dd:4b:10:01")

SONOS = Device(
    "sonos", mac("48:a6:b8:3c:52:e1"), 21, "openssl1",
    (
        Habit("conn-i-0b2c.ws.sonos.com", "tls", 3, 500, 1400),
        Habit("msmetrics.ws.sonos.com", "tls", 5, 2200, 400),
        Habit("update.sonos.com", "tls", 1, 400, 5200),
        Habit("sonos-logger.s3.amazonaws.com", "tls", 1, 5200, 400),
        Habit("api.spotify.com", "tls", 2, 700, 2800, (16, 23)),
        Habit("audio-fa.scdn.co", "tls", 2, 800, 3_200_000, (16, 22), minutes=40),
        Habit("opml.radiotime.com", "tls", 1, 400, 2400, (6, 9)),
        Habit("0.pool.ntp.org", "ntp", 4),
    ),
    hostname="SonosZP", vendor_class="udhcp 1.31.1", options=(1, 3, 6, 12, 15, 28, 40, 41, 42), ip6="eui64",
    agent="Linux UPnP/1.0 Sonos/79.1-56030 (ZPS18)", mdns_host="Sonos-48A6B83C52E1",
    mdns=(
        Announcement(
            "48A6B83C52E1@Living Room", "_sonos._tcp", 1443,
            "info=/api/v1/players/RINCON_48A6B83C52E101400/info|vers=3|protovers=1.41.0",
        ),
        Announcement("Sonos-48A6B83C52E1@Living Room", "_spotify-connect._tcp", 1400, "VERSION=1.0|CPath=/spotifyzc"),
    ),
    ssdp=("Linux UPnP/1.0 Sonos/79.1-56030 (ZPS18)", "urn:schemas-upnp-org:device:ZonePlayer:1"),
)  # fmt: skip

ECHO = Device(
    "echo", mac("f0:f0:a4:7d:19:c4"), 22, "openssl3",
    (
        Habit("avs-alexa-4-eu.amazon.com", "tls", 7, 3800, 2600, (6, 23)),
        Habit("device-metrics-us.amazon.com", "tls", 4, 1800, 300),
        Habit("dcape-eu.amazon.com", "tls", 2, 900, 900),
        Habit("arcus-uswest.amazon.com", "tls", 1, 400, 2400),
        Habit("spectrum.s3.amazonaws.com", "http", 3, 0, 60),
        Habit("api.spotify.com", "tls", 1, 500, 1800, (17, 22)),
        Habit("avs-alexa-4-eu.amazon.com", "vigil", 1, hours=(22, 23), newest=14, days=(17, 24), told=True),
        Habit("ntp-g7g.amazon.com", "ntp", 5),
    ),
    hostname="amazon-7d19c4f21", vendor_class="dhcpcd-6.8.2:Linux-4.4.22+:armv7l:MT8163",
    options=(1, 121, 33, 3, 6, 28, 51, 58, 59),
    ip6="eui64", agent="Dalvik/2.1.0 (Linux; U; Android 7.1.2; AEODN)",
    mdns_host="amazon-7d19c4f21",
    mdns=(Announcement("amzn.dmgr.7D19C4F2", "_amzn-wplay._tcp", 55443, "n=Kitchen Echo|at=A4ZP7ZC4PI6TO"),),
    searches="urn:dial-multiscreen-org:service:dial:1",
)  # fmt: skip

TELEVISION = Device(
    "tv", mac("8c:79:f5:a0:6e:38"), 23, "openssl3",
    (
        Habit("osb-eusvc.samsungqbe.com", "tls", 4, 900, 1800, (6, 23)),
        Habit("api.samsungcloud.com", "tls", 2, 700, 1500, (16, 23)),
        Habit("lcprd1.samsungcloudsolution.net", "tls", 2, 400, 2600, (16, 23)),
        Habit("time.samsungcloudsolution.com", "tls", 2, 300, 300),
        Habit("log-ingestion-eu.samsungacr.com", "tls", 6, 4200, 300, (16, 23)),
        Habit("config.samsungads.com", "tls", 2, 700, 1900, (16, 23)),
        Habit("nrdp.prod.cloud.netflix.com", "tls", 3, 900, 2800, (18, 23)),
        Habit("ipv4-c012-fra001-ix.1.oca.nflxvideo.net", "tls", 2, 900, 28_000_000, (18, 22), minutes=50),
        Habit("www.youtube.com", "tls", 2, 800, 4600, (17, 23)),
        Habit("rr4---sn-4g5edn6r.googlevideo.com", "tls", 1.5, 900, 7_000_000, (17, 22), minutes=20),
        Habit("pubads.g.doubleclick.net", "tls", 5, 1300, 350_000, (16, 23), newest=21),
        Habit("cdn-gl.imrworldwide.com", "tls", 2, 500, 2200, (16, 23), newest=21),
        Habit("sb.scorecardresearch.com", "tls", 4, 900, 500, (16, 23), newest=7, told=True),
        Habit("ib.adnxs.com", "tls", 6, 1100, 700_000, (16, 23), newest=7, told=True),
        Habit("events.samba.tv", "tls", 9, 9100, 300, (16, 23), newest=7, told=True),
    ),
    hostname="Samsung", vendor_class="udhcp 1.31.1", options=(1, 3, 6, 12, 15, 28, 42, 43), ip6="eui64",
    agent="Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.5) AppleWebKit/537.36 (KHTML, like Gecko) Version/6.5 TV",
    mdns_host="Samsung",
    mdns=(
        Announcement(
            "Samsung QE55 TV", "_airplay._tcp", 7000,
            "deviceid=8C:79:F5:A0:6E:38|manufacturer=Samsung|model=QE55Q70T",
        ),
    ),
    ssdp=("SHP, UPnP/1.0, Samsung UPnP SDK/1.0", "urn:samsung.com:device:RemoteControlReceiver:1"),
)  # fmt: skip

ROKU = Device(
    "roku", mac("d8:31:34:5f:c0:2a"), 24, "openssl1",
    (
        Habit("api.roku.com", "tls", 2, 600, 2200, (8, 23)),
        Habit("scribe.logs.roku.com", "tls", 5, 2400, 300),
        Habit("cooper.logs.roku.com", "tls", 3, 1900, 300),
        Habit("image.roku.com", "tls", 2, 500, 9000, (17, 23)),
        Habit("securepubads.g.doubleclick.net", "tls", 2, 900, 2600, (17, 23)),
        Habit("0.pool.ntp.org", "ntp", 3),
    ),
    hostname="Roku3932X", options=(1, 3, 6, 15, 28), agent="Roku/DVP-12.5 (12.5.0.4178-29)",
    mdns_host="Roku3932X",
    mdns=(Announcement("Bedroom Roku", "_airplay._tcp", 7000, "model=3932X|manufacturer=Roku"),),
    ssdp=("Roku/12.5.0 UPnP/1.0 Roku/12.5.0", "roku:ecp"),
)  # fmt: skip

IPHONE = Device(
    "iphone", mac("da:41:7c:0e:93:5b"), 31, "apple",
    (
        Habit("captive.apple.com", "http", 2, 0, 69, (6, 22)),
        Habit("time.apple.com", "ntp", 2, hours=(6, 22)),
        Habit("gateway.icloud.com", "quic", 5, 1600, 3600, (6, 23)),
        Habit("init.push.apple.com", "tls", 3, 900, 900, (6, 23)),
        Habit("bag.itunes.apple.com", "tls", 2, 500, 2600, (7, 22)),
        Habit("graph.facebook.com", "quic", 4, 1800, 2200, (7, 23)),
        Habit("e1.whatsapp.net", "tls", 3, 1800, 2400, (7, 23)),
        Habit("app-measurement.com", "tls", 4, 1600, 300, (7, 23)),
        Habit("api2.branch.io", "tls", 2, 900, 600, (7, 23)),
        Habit("www.youtube.com", "quic", 1, 900, 6000, (19, 23)),
        Habit("rr4---sn-4g5edn6r.googlevideo.com", "tls", 1, 900, 4_000_000, (19, 22), minutes=12),
        Habit("p52-content.icloud.com", "tls", 0.8, 3_500_000, 4000, (21, 22), minutes=15),
        Habit("mail.proton.me", "tls", 2, 1400, 5200, (7, 22)),
        Habit("=sonos", "local", 2, 1400, 0, (7, 22)),
        Habit("stun.l.google.com", "call", 0.4, hours=(18, 21)),
    ),
    hostname="Annas-iPhone", options=(1, 121, 3, 6, 15, 108, 114, 119, 252), ip6="private",
    agent="CaptiveNetworkSupport-481.40.2 wispr", mdns_host="Annas-iPhone", present=(6, 23),
    mdns=(Announcement("Annas-iPhone", "_rdlink._tcp", 49152, "rpBA=6F:11:0A:42:9C:01|rpVr=560.1"),),
)  # fmt: skip

MACBOOK = Device(
    "macbook", mac("a4:83:e7:2b:d0:17"), 32, "apple",
    (
        Habit("captive.apple.com", "http", 1, 0, 69, (7, 21)),
        Habit("time.apple.com", "ntp", 2, hours=(7, 21)),
        Habit("gateway.icloud.com", "quic", 3, 1300, 2900, (7, 22)),
        Habit("p52-caldav.icloud.com", "tls", 2, 900, 2300, (7, 22)),
        Habit("www.wikipedia.org", "tls", 2, 700, 14000, (8, 22)),
        Habit("www.bbc.co.uk", "tls", 2, 800, 24_000, (7, 22)),
        Habit("oscdn.apple.com", "tls", 0.3, 900, 24_000_000, (12, 14), minutes=9),
        Habit("github.com", "tls", 2, 900, 9000, (8, 18)),
        Habit("cdn.jsdelivr.net", "tls", 2, 600, 6000, (8, 22)),
        Habit("www.heise.de", "tls", 2, 800, 9000, (8, 22)),
        Habit("www.google-analytics.com", "tls", 3, 1100, 400, (8, 22)),
        Habit("=printer", "local", 1, 80, 0, (8, 20)),
        Habit("wg-de.vpn-sample.example", "wireguard", 0.5, 9000, 24000, (8, 18)),
        Habit("github.com", "ssh", 0.3, 1500, 5200, (8, 18)),
        Habit("build.northlight.example", "odd", 2, 1600, 4800, (9, 17), newest=7, told=True),
        Habit("vpn.northlight.example", "ipsec", 1, 2000, 48_000, (9, 17), newest=14),
    ),
    hostname="MacBook-Air-von-Jonas", options=(1, 121, 3, 6, 15, 108, 114, 119, 252, 95, 44, 46), ip6="private",
    agent="CaptiveNetworkSupport-481.40.2 wispr", mdns_host="MacBook-Air-von-Jonas", present=(7, 22),
    mdns=(Announcement("MacBook Air von Jonas", "_companion-link._tcp", 51021, "rpMac=0|rpVr=560.1"),),
)  # fmt: skip

HUE = Device(
    "hue", mac("ec:b5:fa:1f:88:4d"), 25, "mbedtls",
    (
        Habit("ws.meethue.com", "tls", 3, 800, 900),
        Habit("diagnostics.meethue.com", "tls", 2, 1700, 300),
        Habit("time.meethue.com", "ntp", 3),
    ),
    hostname="Philips-hue", vendor_class="udhcp 1.19.4", options=(1, 3, 6, 12, 15, 28, 42), mdns_host="ecb5fa1f884d",
    mdns=(Announcement("Hue Bridge - 1F884D", "_hue._tcp", 443, "bridgeid=ecb5fafffe1f884d|modelid=BSB002"),),
    ssdp=("Hue/1.0 UPnP/1.0 IpBridge/1.60.0", "urn:schemas-upnp-org:device:basic:1"),
)  # fmt: skip

BULB = Device(
    "bulb", mac("a4:cf:12:77:0b:9e"), 26, "mbedtls",
    (Habit("a1.tuyaeu.com", "tls", 2, 700, 900), Habit("m1.tuyaeu.com", "mqtt", 3, 10, 0)),
    hostname="ESP_770B9E", options=(1, 3, 28, 6),
)  # fmt: skip

NEST = Device(
    "nest", mac("44:07:0b:e9:35:a2"), 28, "chrome",
    (
        Habit("connectivitycheck.gstatic.com", "http", 3, 0, 0),
        Habit("time.google.com", "ntp", 4),
        Habit("clients3.google.com", "quic", 4, 900, 1300),
        Habit("mtalk.google.com", "tls", 2, 700, 600),
        Habit("assistant-s3-pa.googleapis.com", "tls", 4, 2600, 2200, (6, 22)),
        Habit("@resolver", "ping", 6),
    ),
    hostname="Google-Nest-Mini", vendor_class="dhcpcd-8.1.6:Linux-4.9.113",
    options=(1, 121, 33, 3, 6, 12, 15, 26, 28, 42, 51),
    ip6="eui64", agent="Mozilla/5.0 (X11; Linux aarch64) CrKey/1.56.467165", resolver="@resolver",
    mdns_host="fuchsia-4407-0be9-35a2",
    mdns=(
        Announcement(
            "Google-Nest-Mini-9c1e4d7a", "_googlecast._tcp", 8009,
            "id=9c1e4d7a2f6b40d8a1c35e7790bd1f42|md=Google Nest Mini|fn=Kitchen speaker|ca=199172",
        ),
    ),
)  # fmt: skip

PRINTER = Device(
    "printer", mac("5c:60:ba:94:2e:d3"), 29, "openssl1",
    (
        Habit("xmpp005.hpeprint.com", "tls", 2, 700, 900),
        Habit("h10141.www1.hp.com", "tls", 1, 1500, 400),
        Habit("chat.hpeprint.com", "tls", 1, 500, 500),
    ),
    hostname="HP5C60BA942ED3", vendor_class="HP Printer", options=(6, 3, 1, 15, 66, 67, 13, 44, 12, 81, 252),
    ip6="eui64",
    mdns_host="HP5C60BA942ED3",
    mdns=(
        Announcement(
            "HP OfficeJet Pro 9010 series [942ED3]", "_ipp._tcp", 631,
            "ty=HP OfficeJet Pro 9010 series|product=(HP OfficeJet Pro 9010 series)|rp=ipp/print",
        ),
    ),
    ssdp=("Linux/4.4 UPnP/1.0 HP-ePrint/1.0", "urn:schemas-upnp-org:device:Printer:1"),
)  # fmt: skip

PC = Device(
    "pc", mac("8c:55:4a:03:e7:b6"), 34, "chrome",
    (
        Habit("www.msftconnecttest.com", "http", 2, 0, 22, (15, 23)),
        Habit("ctldl.windowsupdate.com", "http", 1, 0, 5200, (15, 23)),
        Habit("time.windows.com", "ntp", 1, hours=(15, 23)),
        Habit("settings-win.data.microsoft.com", "schannel", 2, 700, 1900, (15, 23)),
        Habit("v10.events.data.microsoft.com", "schannel", 4, 3400, 400, (15, 23)),
        Habit("teams.microsoft.com", "tls", 2, 1500, 3200, (15, 19)),
        Habit("www.google.com", "quic", 4, 1100, 5200, (15, 23)),
        Habit("fonts.gstatic.com", "quic", 2, 500, 7000, (15, 23)),
        Habit("www.google-analytics.com", "quic", 4, 1200, 300, (15, 23)),
        Habit("discord.com", "quic", 2, 1600, 5200, (16, 23)),
        Habit("static.cloudflareinsights.com", "tls", 2, 800, 900, (15, 23)),
        Habit("connect.facebook.net", "quic", 2, 700, 3000, (15, 23)),
        Habit("secure.adnxs.com", "tls", 3, 1000, 900, (15, 23)),
        Habit("rr4---sn-4g5edn6r.googlevideo.com", "quic", 1, 900, 9000, (18, 23)),
        Habit("rr4---sn-4g5edn6r.googlevideo.com", "tls", 1, 900, 6_000_000, (16, 22), minutes=25),
        Habit("gql.twitch.tv", "tls", 3, 1600, 6200, (18, 23)),
        Habit("video-weaver.fra02.hls.ttvnw.net", "tls", 1.2, 1400, 15_000_000, (19, 21), minutes=75),
        Habit("mozilla.cloudflare-dns.com", "quic", 6, 2200, 3200, (15, 23)),
    ),
    hostname="DESKTOP-7Q2M4KD", vendor_class="MSFT 5.0",
    options=(1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252),
    ip6="private", agent="Microsoft NCSI", searches="urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    present=(15, 23),
    windows=True,
)  # fmt: skip

DEVICES = (
    SONOS, ECHO, TELEVISION, ROKU, HUE, BULB, VACUUM, NEST, PRINTER, CAMERA, IPHONE, MACBOOK, ESP32, PC, RADIO,
    THERMOSTAT, PLUG, VISITOR,
)  # fmt: skip
