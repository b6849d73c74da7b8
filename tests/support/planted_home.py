"""What happens in the homes of `tests.support.planted`: the things to be found, and the ordinary life."""

from __future__ import annotations

from itertools import chain

from daemon.report.findings.vocabulary import (
    BEACONING,
    COUNTRY,
    HAMMERING,
    NIGHT_ONLY,
    PORT,
    RARE,
    UNENCRYPTED,
    UNNAMED,
)
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, dhcp_request
from tests.support.planted import BEGIN, DAYS, MINUTE, TUNED, Gadget, Home, Plan, Planted

JITTERS = (0.0, 0.05, 0.2)
COUNTRIES = {"DE": "60.0.0.0/16", "BR": "61.0.0.0/16", "VN": "62.0.0.0/16"}
_THINGS = ("meter", "display", "fan", "blinds", "kettle", "aquarium", "doormat", "planter", "mixer", "garage")


def make_home(plan: Plan) -> Home:
    """All packets of a home, and what is planted in them."""
    home = Home(plan)
    things = [Gadget(name, number) for number, name in enumerate(_THINGS, 1)]
    things[-1].mac = "02:00:5e:00:53:0a"  # made up, as telephones have it, and some cheap things
    _live(home, things)
    _beacons(home, things)
    _hammers(home, things)
    _strangers(home, things)
    _services(home, things)
    _nights(home, things)
    return home


def _plant(home: Home, kind: str, who: Gadget, place: str) -> None:
    home.planted.append(Planted(kind, who.mac, place))


def _beacons(home: Home, things: list[Gadget]) -> None:
    plan, day = home.plan, BEGIN + home.plan.from_day * DAY
    lengths = ((plan.short, 3 * 3600), (plan.middle, 2 * 86_400), (plan.long, 6 * 86_400))
    for number, (stray, (period, lasting)) in enumerate((j, each) for j in JITTERS for each in lengths):
        who, name, server = things[number % 5], f"in{number}.tarn-relay{number}.example", home.somewhere()
        begin = day + (number + 1) * 1700 * SECOND
        home.asks(who, name, server, begin, int(lasting // 86_400))
        times = home.clock(begin, period, stray, lasting)
        if number == 3:
            home.datagrams(who, server, 5055, times)
        else:
            home.connects(who, server, 443, times, name=name)
        _plant(home, BEACONING, who, name)
    who, server = things[5], home.somewhere()
    first, second = (home.clock(day + after, period, 0.02, 6 * 3600) for after, period in enumerate(plan.pair))
    home.asks(who, "two.fellrush.example", server, day, 1)
    home.connects(who, server, 443, iter(sorted(chain(first, second))), name="two.fellrush.example")
    _plant(home, BEACONING, who, "two.fellrush.example")
    server = home.somewhere()
    home.asks(who, "up.moorgate-stats.example", server, day, 3)
    times = home.clock(day, plan.holed, 0.05, 3 * 86_400)
    holes = [(at, at + 9 * HOUR) for at in (day + 11 * HOUR, day + 40 * HOUR)]
    whole = [at for at in times if not any(begin <= at < end for begin, end in holes)]
    home.connects(who, server, 8443, iter(whole), name="up.moorgate-stats.example")
    _plant(home, BEACONING, who, "up.moorgate-stats.example")
    server = home.somewhere()
    home.datagrams(things[6], server, 7443, home.clock(day, plan.alive, 0.02, 12 * 3600), same=5000)
    _plant(home, BEACONING, things[6], server)


def _hammers(home: Home, things: list[Gadget]) -> None:
    plan, day = home.plan, BEGIN + (home.plan.from_day + 2) * DAY
    who, server = things[1], home.somewhere()
    home.asks(who, "departures.linefour.example", server, day, 1)
    small = home.clock(day, 2 / plan.packets, 0.3, 6.4 * 3600)
    home.datagrams(who, server, 8090, small, size=120, same=6000)
    _plant(home, HAMMERING, who, "departures.linefour.example")
    server = home.somewhere()
    home.asks(things[7], "q.brinehold.example", server, day, 1)
    home.datagrams(things[7], server, 9995, home.anytime(day, int(3.5 * 3600 / plan.ask), 3.5 * 3600))
    _plant(home, HAMMERING, things[7], "q.brinehold.example")
    server = home.somewhere()
    home.connects(things[8], server, 443, home.anytime(day, int(4 * 3600 / plan.rush), 4 * 3600))
    _plant(home, HAMMERING, things[8], server)
    server = home.somewhere()
    home.asks(things[9], "gone.vesper-cloud.example", server, day, 1)
    home.refused(things[9], server, 8883, home.anytime(day, int(7 * 3600 / plan.fail), 7 * 3600))
    _plant(home, HAMMERING, things[9], "gone.vesper-cloud.example")


def _strangers(home: Home, things: list[Gadget]) -> None:
    """Rare companies, addresses nobody asked for, new countries."""
    late = BEGIN + (home.plan.from_day + 4) * DAY
    for number, who in enumerate((things[0], things[6], things[8])):
        name, server = f"api.larkmere{number}.example", home.somewhere()
        begin = late + number * 5 * HOUR
        home.asks(who, name, server, begin, 1)
        home.connects(who, server, 443, home.anytime(begin, 2 + number, 20 * 3600), name=name)
        _plant(home, RARE, who, name)
    for number, who in enumerate((things[2], things[7], things[9])):
        server = home.somewhere()
        times = home.anytime(late - number * DAY, 5 + number, 30 * 3600)
        if number == 1:
            home.datagrams(who, server, 443, times, size=700)
        else:
            home.connects(who, server, 443, times, down=2500)
        _plant(home, UNNAMED, who, server)
    for number, (block, who) in enumerate((("61.0", things[3]), ("62.0", things[5]))):
        name, server = f"eu{number}.quillon-home.example", home.somewhere(block)
        begin = late + DAY + number * HOUR
        home.asks(who, name, server, begin, 2)
        home.connects(who, server, 443, home.anytime(begin, 4, 40 * 3600), name=name)
        _plant(home, COUNTRY, who, name)


def _services(home: Home, things: list[Gadget]) -> None:
    """Odd ports, and content in the open."""
    plan, day = home.plan, BEGIN + (home.plan.from_day + 3) * DAY
    unknown, searched = plan.ports
    for who, port, name in ((things[4], 23, "sh.opal-net.example"), (things[6], 6667, "chat.rookery.example")):
        server = home.somewhere()
        home.asks(who, name, server, day, 1)
        home.connects(who, server, port, home.anytime(day, 2, 6 * 3600), up=b"hello there\r\n", down=90)
        _plant(home, PORT, who, name)
    server = home.somewhere()
    home.asks(things[1], "x.stonecrop.example", server, day, 2)
    home.connects(things[1], server, unknown, home.anytime(day, 6, 40 * 3600), up=b"\x01\x02\x03" * 40)
    _plant(home, PORT, things[1], "x.stonecrop.example")
    for number in range(45):
        home.refused(things[3], home.somewhere(), searched, iter([day + number * 3 * SECOND]), answered=number % 3 == 0)
    _plant(home, PORT, things[3], "")
    server = home.somewhere()
    home.asks(things[0], "log.pinewater.example", server, day, 3)
    post = b"POST /v1/values HTTP/1.1\r\nHost: log.pinewater.example\r\nContent-Length: 600\r\n\r\n" + b"t=21.5;" * 86
    home.connects(things[0], server, 80, home.anytime(day, 14, 3 * 86_400), up=post[:680], down=120)
    _plant(home, UNENCRYPTED, things[0], "log.pinewater.example")
    server = home.somewhere()
    home.asks(things[2], "mq.birchline.example", server, day, 2)
    mqtt = b"\x10\x16\x00\x04MQTT\x04\xc2\x00<\x00\x02me\x00\x01u\x00\x01p" + b"\x30\x40\x00\x05a/b/c" + bytes(57)
    home.connects(things[2], server, 1883, home.anytime(day, 5, 40 * 3600), up=mqtt, down=60)
    _plant(home, UNENCRYPTED, things[2], "mq.birchline.example")


def _nights(home: Home, things: list[Gadget]) -> None:
    """Devices that are busy while people sleep, and some whose nights are nobody's concern."""
    plan, begin = home.plan, BEGIN + home.plan.from_day * DAY
    size, number = plan.nightly
    sleepers = [Gadget(name, 41 + place) for place, name in enumerate(("mower", "heater", "lamp"))]
    for place, who in enumerate(sleepers):
        _ordinary(home, who)
        name, server = f"vault{place}.nightjar{place}.example", home.somewhere()
        home.asks(who, name, server, begin, DAYS - plan.from_day - 1)
        for night in range(DAYS - plan.from_day - 1):
            if place == 2 and night % 4 == 1:
                continue  # not each night
            late = begin + night * DAY + (23 + 2 * place) * HOUR
            times = home.anytime(late, number + place, 5000)
            if place == 1:
                home.datagrams(who, server, 4433, home.anytime(late, size // 600, 3000), size=1200, same=7000 + night)
            else:
                home.connects(who, server, 443, times, name=name)
                home.uploads(who, server, late + 5100 * SECOND, size * number)
        _plant(home, NIGHT_ONLY, who, name)
    _ordinary_nights(home, size * number)


def _ordinary_nights(home: Home, much: int) -> None:
    """A maker's update each night, one night's backup, one that works by day as by night, a player in the evening."""
    hue, once, always, player = (
        Gadget("Philips-hue2", 44), Gadget("bench", 45), Gadget("vent", 46), Gadget("RokuExpress", 47)
    )  # fmt: skip
    for who, name, times in (
        (hue, "fw.meethue.com", [BEGIN + day * DAY + 3 * HOUR for day in range(1, DAYS - 1)]),
        (once, "backup.hollin.example", [BEGIN + 13 * DAY + 2 * HOUR]),
        (always, "log.hollin.example", list(home.anytime(BEGIN + HOUR, 90, 20 * 86_400))),
        (player, "nrdp.prod.cloud.netflix.com", [BEGIN + day * DAY + 22 * HOUR for day in range(1, DAYS - 1)]),
    ):
        _ordinary(home, who)
        server = home.somewhere()
        home.asks(who, name, server, BEGIN + HOUR, DAYS - 1)
        for at in times:
            home.connects(who, server, 443, iter([at + home.chance.randrange(3000) * SECOND]), name=name)
            home.uploads(who, server, at + (3100 + home.chance.randrange(1500)) * SECOND, much)


def _ordinary(home: Home, who: Gadget) -> None:
    """What every device of the home does."""
    home.frames += [dhcp_request(BEGIN + day * DAY + who.number * SECOND, who.name, who.mac) for day in range(DAYS)]
    server = home.somewhere()
    home.asks(who, "0.pool.ntp.org", server, BEGIN + 5 * MINUTE, DAYS - 1)
    home.datagrams(who, server, 123, home.clock(BEGIN + who.number * MINUTE + HOUR, 7200, 0.01, 20.5 * 86_400), size=48)


def _live(home: Home, things: list[Gadget]) -> None:
    """The ordinary life, from the first day to the last."""
    hue, roku, camera = Gadget("Philips-hue", 31), Gadget("RokuPremiere", 32), Gadget("wyze-cam", 33)
    sonos, phone = Gadget("SonosZP", 34), Gadget("Annas-iPhone", 35, "de:ad:be:00:53:35")
    for who in (*things, hue, roku, camera, sonos, phone):
        _ordinary(home, who)
    for who in things:  # all report to a platform by the clock, and look at the weather when they like
        for name, period in (("a1.tuyaeu.com", 5400.0), ("connectivitycheck.gstatic.com", 10_800.0)):
            server = home.somewhere()
            home.asks(who, name, server, BEGIN + 5 * MINUTE, DAYS - 1)
            http = b"GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n\r\n"
            secure = name.startswith("a1")
            times = home.clock(BEGIN + HOUR, period, 0.02, 20 * 86_400)
            home.connects(who, server, 443 if secure else 80, times, name=name if secure else None, up=http)
    _rooms(home, hue, roku, camera, sonos)
    _pocket(home, phone)


def _rooms(home: Home, hue: Gadget, roku: Gadget, camera: Gadget, sonos: Gadget) -> None:
    whole = BEGIN + HOUR
    calls = (
        (hue, "ws.meethue.com", home.clock(whole, 1800, 0.03, 20 * 86_400)),
        (hue, "diagnostics.meethue.com", home.anytime(whole, 60, 20 * 86_400)),
        (roku, "scribe.logs.roku.com", home.clock(whole, 3600, 0.1, 20 * 86_400)),
        (roku, "securepubads.g.doubleclick.net", home.evenings(BEGIN, DAYS, 6)),
        (roku, "nrdp.prod.cloud.netflix.com", home.evenings(BEGIN, DAYS, 4)),
        (sonos, "msmetrics.ws.sonos.com", home.clock(whole, 2700, 0.05, 20 * 86_400)),
        (sonos, "api.spotify.com", home.evenings(BEGIN, DAYS, 5)),
        (sonos, "opml.radiotime.com", home.clock(whole, 5400, 0.0, 20 * 86_400)),
        (camera, "api.wyzecam.com", home.clock(whole, 1800, 0.05, 20 * 86_400)),
        (camera, "wyze-event-streaming-prod.s3.us-west-2.amazonaws.com", home.anytime(whole, 90, 20 * 86_400)),
    )
    for who, name, times in calls:
        server = home.somewhere()
        home.asks(who, name, server, whole, DAYS - 1)
        home.connects(who, server, 443, times, name=name)
    server = home.somewhere()
    home.asks(sonos, "update.sonos.com", server, whole, DAYS - 1)
    get = b"GET /firmware/latest HTTP/1.1\r\nHost: update.sonos.com\r\n\r\n"
    home.connects(sonos, server, 80, home.anytime(whole, 8, 20 * 86_400), up=get, down=9000)
    for evening in range(3, 18, 5):  # somebody looks through the camera from outside: an address of the moment
        begin = BEGIN + evening * DAY + 19 * HOUR
        home.datagrams(
            camera, home.somewhere(), 40_000 + evening, home.clock(begin, 0.2, 0.3, 60), size=900, same=32_100
        )
    server = home.somewhere()
    home.asks(hue, "mqtt.tuyaeu.com", server, whole, 3)
    home.datagrams(hue, server, 8886, home.clock(whole, 55, 0.01, 2 * 86_400), same=9000)


def _pocket(home: Home, phone: Gadget) -> None:
    for number in range(30):
        name, server = f"www.site{number}.example", home.somewhere("61.0" if number % 5 else "62.0")
        home.asks(phone, name, server, BEGIN + HOUR, DAYS - 1)
        home.connects(phone, server, 443, home.evenings(BEGIN, DAYS, 3), name=name)
    server = home.somewhere()
    home.asks(phone, "imap.postbox.example", server, BEGIN + HOUR, DAYS - 1)
    home.connects(phone, server, 993, home.clock(BEGIN + HOUR, 3600, 0.05, 20 * 86_400), name="imap.postbox.example")
    for number in range(4):
        home.connects(phone, home.somewhere(), 5222 + 4000 * number, home.evenings(BEGIN, DAYS, 2))


def make_small(host: str = "in.tarn-relay.example") -> Home:
    """Two days for tests of pages: one beacon, one telnet, a hub that calls its maker, a phone."""
    home = Home(TUNED)
    meter, hue, phone = Gadget("meter", 1), Gadget("Philips-hue", 31), Gadget("Annas-iPhone", 35, "de:ad:be:00:53:35")
    for who in (meter, hue, phone):
        home.frames.append(dhcp_request(BEGIN + who.number * SECOND, who.name, who.mac))
    for who, name, port, times in (
        (meter, host, 443, home.clock(BEGIN + HOUR, 300, 0.02, 20 * 3600)),
        (hue, "ws.meethue.com", 443, home.clock(BEGIN + HOUR, 900, 0.02, 30 * 3600)),
        (hue, "sh.opal-net.example", 23, home.anytime(BEGIN + 2 * HOUR, 3, 3600)),
        (phone, host, 443, home.anytime(BEGIN + 2 * HOUR, 4, 36 * 3600)),
    ):
        server = home.somewhere()
        home.asks(who, name, server, BEGIN + HOUR, 1)
        home.connects(who, server, port, times, name=name if port == 443 else None)
    home.planted += [Planted(BEACONING, meter.mac, host), Planted(PORT, hue.mac, "sh.opal-net.example")]
    return home
