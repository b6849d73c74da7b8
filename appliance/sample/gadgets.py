"""The devices that the story is about: makers that do not exist, parts and platforms that do, and a guest.

Rules: as in `devices`. Whoever behaves oddly here is made up, so that nobody is accused: names lie under reserved
domains (RFC 2606) and hardware addresses are those of makers of modules.
"""

from __future__ import annotations

from appliance.sample.device import Announcement, Device, Habit, mac

VACUUM = Device(
    "vacuum", mac("74:f0:6d:c2:61:7f"), 27, "mbedtls",
    (
        Habit("mqtt.dustwalk.example", "tls", 3, 900, 900),
        Habit("api.dustwalk.example", "tls", 2, 700, 1300, (9, 12)),
        Habit("api.dustwalk.example", "tls", 1, 420_000, 900, (9, 12), minutes=3),
        # For a week it has woken at night and sent its maps to another continent.
        Habit("dustwalk-map-upload.oss-ap-southeast-1.aliyuncs.com", "tls", 2, 900_000, 500, (1, 3), minutes=12,
              newest=7, told=True),
        Habit("mqtt.dustwalk.example", "tls", 3, 1400, 900, (1, 3), newest=7, told=True),
        Habit("0.pool.ntp.org", "ntp", 2),
    ),
    hostname="dustwalk-r2", vendor_class="udhcp 1.31.1", options=(1, 3, 6, 12, 15, 28, 42),
    mdns_host="dustwalk-r2",
    mdns=(
        Announcement(
            "Dustwalk R2 vacuum", "_dustwalk._tcp", 8899, "md=Dustwalk R2 robot vacuum|manufacturer=Dustwalk|fw=2.1.7",
        ),
    ),
)  # fmt: skip

CAMERA = Device(
    "camera", mac("10:d5:61:6d:f4:08"), 30, "mbedtls",
    (
        Habit("a1.tuyaeu.com", "tls", 3, 1900, 1300),
        Habit("m1.tuyaeu.com", "mqtt", 2, 6, 0),
        Habit("ty-eu-storage30.s3.eu-central-1.amazonaws.com", "tls", 3, 1_100_000, 400, (7, 22), minutes=2),
        Habit("@relay", "relay", 2, 48, newest=14, told=True),
        Habit("0.pool.ntp.org", "ntp", 3),
    ),
    hostname="IPCAM-6DF408", vendor_class="udhcp 1.24.2", options=(1, 3, 6, 12, 15, 28, 42),
)  # fmt: skip

ESP32 = Device(
    "esp32", mac("24:6f:28:b1:5d:60"), 33, "mbedtls",
    (
        # It reports to a database of its owner's, which takes nothing since Wednesday; so it never stops trying.
        Habit("ingest.balcony-air.example", "hammer", 1, 14_400, 3_600, newest=5, told=True),
        Habit("ingest.balcony-air.example", "http", 6, 0, 4),
        Habit("api.thingspeak.com", "http", 10, 0, 4),
        Habit("a.st1.ntp.br", "ntp", 2),
    ),
    hostname="esp32-airquality", options=(1, 3, 28, 6), agent="ESP32HTTPClient",
    mdns_host="esp32-airquality", mdns=(Announcement("esp32-airquality", "_http._tcp", 80),),
)  # fmt: skip

RADIO = Device(
    "radio", mac("dc:85:de:17:a2:3c"), 35, "mbedtls",
    (
        Habit("live.harbour-radio.example", "radio", 1.4, 0, 3_600_000, (6, 8), minutes=45),
        Habit("stream.radio-du-lac.example", "radio", 0.8, 0, 2_600_000, (17, 20), minutes=35),
        Habit("menu.wavebox.example", "http", 5, 0, 900, (6, 22)),
        Habit("menu.wavebox.example", "tls", 1, 400, 1200),
        Habit("ntp.nict.jp", "ntp", 1),
    ),
    hostname="wavebox-kitchen", options=(1, 3, 6, 12, 15), agent="Wavebox/3.2 (K1)",
    mdns_host="wavebox-kitchen",
    mdns=(Announcement("Wavebox K1 radio", "_wavebox._tcp", 80, "md=Wavebox K1 internet radio|manufacturer=Wavebox"),),
)  # fmt: skip

THERMOSTAT = Device(
    "thermostat", mac("a0:c9:a0:41:0e:55"), 36, "mbedtls",
    (
        Habit("edge.warmly.example", "beacon", 1, 68, 36, minutes=10, newest=28, told=True),
        Habit("api.warmly.example", "tls", 2, 800, 1500),
        Habit("0.pool.ntp.org", "ntp", 2),
    ),
    hostname="warmly-t1", options=(1, 3, 6, 12), newest=28,
    mdns_host="warmly-t1",
    mdns=(Announcement("Warmly T1", "_hap._tcp", 5001, "md=Warmly T1 thermostat|ci=9|sf=0|id=4A:41:0E:55:02:91"),),
)  # fmt: skip

PLUG = Device(
    "plug", mac("5c:a6:e6:90:3b:d2"), 37, "mbedtls",
    (
        Habit("n-devs.tplinkcloud.com", "tls", 6, 700, 900),
        Habit("use1-api.tplinkra.com", "tls", 2, 900, 700),
        Habit("0.pool.ntp.org", "ntp", 4),
    ),
    hostname="P110", options=(1, 3, 6, 12), newest=6,
)  # fmt: skip

VISITOR = Device(
    "visitor", mac("7e:18:d3:a4:6c:02"), 38, "chrome",
    (
        Habit("dns.google", "dot", 8, 1200, 1900, (10, 22)),
        Habit("www.google.com", "quic", 6, 1100, 5200, (10, 22)),
        Habit("android.clients.google.com", "tls", 5, 1300, 1800, (10, 22)),
        Habit("e1.whatsapp.net", "tls", 8, 1800, 2400, (10, 22)),
        Habit("connect.facebook.net", "quic", 3, 700, 3000, (10, 22)),
        Habit("rr4---sn-4g5edn6r.googlevideo.com", "tls", 2, 900, 5_000_000, (13, 21), minutes=15),
        Habit("2.android.pool.ntp.org", "ntp", 3, hours=(10, 22)),
    ),
    hostname="Lenas-Phone", vendor_class="android-dhcp-14", options=(1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114, 108),
    ip6="private", agent="Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7a)", present=(10, 22), newest=14, days=(20, 21),
)  # fmt: skip
