"""How each kind of habit sounds on the wire.

Rules: one function a kind, found by the `KINDS` table; no kind knows a device. Those that tell the story are in `story`.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.sample import bulk, http, lan, small, story, talk, tls, wire
from appliance.sample.device import Habit
from appliance.sample.devices import DEVICES
from appliance.sample.diary import HOUR, NET4, SECOND, Diary
from appliance.sample.places import OPERATORS, PLACES, Place, addresses
from appliance.sample.wire import End

NOWHERE = Place("", "hetzner")
Act = Callable[[Diary, Habit, Place, int], None]


def _secure(diary: Diary, place: Place, time_us: int, stack: tls.Stack, port: int = 443) -> talk.Tcp:
    """An opened TLS connection; the day's later ones to the same name mostly resume the first."""
    tcp = diary.tcp(place, time_us, port)
    resumed = diary.met_before(place) and diary.rng.random() < 0.7
    greeting = talk.Greeting(place.name, OPERATORS[place.operator].organisation, place.tls == "1.3", resumed)
    said = talk.shake(tcp, stack, greeting)
    diary.claim("tls", said, tcp.client.address, place.name)
    return tcp


_SECURE_PORTS = {"dot": 853}  # RFC 7858
_JOINED = 28  # segments of a large transfer that the kernel hands over as one


def _tls(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """HTTPS in one to three requests, or a large transfer; now and then a device drops the connection without closing."""
    stack = tls.STACKS["schannel" if habit.kind == "schannel" else diary.device.stack]
    tcp = _secure(diary, place, time_us, stack, _SECURE_PORTS.get(habit.kind, 443))
    rng = diary.rng
    swing = 0.5 + rng.random()
    up, down = int(habit.up * swing), int(habit.down * swing)
    asked = up if up < bulk.LARGE else 900, down if down < bulk.LARGE else 700
    talk.exchange(tcp, *asked, rng.choice((1, 1, 2, 3)), rng.randrange(4 * SECOND))
    for size, upwards in ((up, True), (down, False)):
        if size >= bulk.LARGE:
            bulk.pour(tcp, size, up=upwards, seconds=habit.minutes * 60, joined=_JOINED)
    if rng.random() < 0.85:
        tcp.close()
    else:
        tcp.reset()
    diary.frames += tcp.frames


def _vigil(diary: Diary, _habit: Habit, place: Place, time_us: int) -> None:
    """A connection held open for three and a half hours, over midnight."""
    tcp = _secure(diary, place, time_us, tls.STACKS[diary.device.stack])
    end = time_us + 7 * HOUR // 2
    while tcp.clock < end:
        talk.exchange(tcp, 40, 40, 1, 0)
        tcp.wait(150 * SECOND)
    tcp.close()
    diary.frames += tcp.frames


def _quic(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """HTTP/3."""
    conversation = diary.datagrams(place, time_us, 443)
    swing = 0.5 + diary.rng.random()
    stack = tls.STACKS[diary.device.stack]
    said = talk.quic_session(conversation, stack, place.name, int(habit.up * swing), int(habit.down * swing))
    diary.claim("quic", said, conversation.client.address, place.name)
    diary.frames += conversation.frames


_PATHS = {69: "/hotspot-detect.html", 0: "/generate_204", 22: "/connecttest.txt", 60: "/kindle-wifi/wifistub.html"}


def _http(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """Plain HTTP: connectivity checks, downloads, and a microcontroller that posts its readings in the clear."""
    tcp = diary.tcp(place, time_us, 80)
    status = "204 No Content" if not habit.down else "200 OK"
    path = _PATHS.get(habit.down, "/update?api_key=SAMPLEKEY&field1=21.4" if habit.down < 16 else "/files/list.cab")
    body = http.answer(status, {"Content-Type": "text/plain", "Server": "sample"}, b"7" * habit.down)
    said = talk.web(tcp, place.name, path, diary.device.agent, body)
    diary.claim("http", said, tcp.client.address, place.name)
    tcp.close()
    diary.frames += tcp.frames


def _local(diary: Diary, habit: Habit, _place: Place, time_us: int) -> None:
    """A request to another device of the home; `up` is the port."""
    other = next(device for device in DEVICES if device.key == habit.to[1:])
    far = End(other.mac, NET4 + bytes([other.host]), habit.up)
    own = diary.own(4, diary.port())
    diary.add(time_us, lan.arp(1, own, End(bytes(6), far.address)))
    diary.add(time_us + 700, lan.arp(2, far, own))
    tcp = talk.Tcp(own, far, time_us + 1200, diary.rng)
    tcp.open()
    page = f"<root><device><friendlyName>{other.key}</friendlyName></device></root>".encode() * 8
    said = talk.web(
        tcp, f"{'.'.join(map(str, far.address))}:{habit.up}", "/xml/device_description.xml", diary.device.agent,
        http.answer("200 OK", {"Content-Type": "text/xml"}, page),
    )  # fmt: skip
    diary.claim("http", said, own.address, f"{'.'.join(map(str, far.address))}:{habit.up}")
    tcp.close()
    diary.frames += tcp.frames


def _mqtt(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """An MQTT session without TLS; `up` is the number of keep-alive rounds."""
    tcp = diary.tcp(place, time_us, 1883)
    serial = diary.device.mac.hex()
    tcp.up(small.mqtt_connect(f"bf{serial}", f"bf{serial}"))
    tcp.down(small.MQTT_ACCEPTED)
    tcp.up(small.mqtt_publish(f"smart/device/out/bf{serial}", b"2.2" + diary.rng.randbytes(40)))
    for _ in range(habit.up):
        tcp.wait(60 * SECOND)
        tcp.up(small.MQTT_PING)
        tcp.down(small.MQTT_PONG)
    tcp.close()
    diary.frames += tcp.frames


def _ntp(diary: Diary, _habit: Habit, place: Place, time_us: int) -> None:
    conversation = diary.datagrams(place, time_us, 123)
    request = small.ntp_request(conversation.clock)
    conversation.up(request)
    conversation.turn()
    conversation.down(small.ntp_answer(request, conversation.clock))
    diary.frames += conversation.frames


def _call(diary: Diary, _habit: Habit, place: Place, time_us: int) -> None:
    """A call: STUN finds the way, then RTP flows both ways for seconds, with a key frame too large for one packet."""
    rng = diary.rng
    conversation = diary.datagrams(place, time_us, 3478, version=4)
    request = small.stun_request(rng)
    conversation.up(request)
    conversation.turn()
    conversation.down(small.stun_answer(request, bytes([203, 0, 113, 9]), conversation.client.port))
    diary.frames += conversation.frames
    own = diary.own(4, diary.port())
    far = End(conversation.server.mac, addresses(PLACES["@caller"], 4)[0], 2 * rng.randrange(5000, 9000))
    media = talk.Datagrams(own, far, conversation.clock + 300_000, rng)
    sources = rng.getrandbits(32), rng.getrandbits(32)
    for number in range(rng.randrange(40, 90)):
        media.up(small.rtp(111, number, number * 960, sources[0], rng.randbytes(rng.randrange(90, 170))))
        media.down(small.rtp(111, number + 9, number * 960, sources[1], rng.randbytes(rng.randrange(90, 170))))
        media.wait(19_000)
    key_frame = small.rtp(96, 1, 4711, sources[0], rng.randbytes(2800))
    for part in wire.fragments4(own, far, key_frame, ident=rng.getrandbits(16)):
        diary.add(media.clock, part)
        media.wait(40)
    diary.frames += media.frames


def _wireguard(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    rng = diary.rng
    conversation = diary.datagrams(place, time_us, 51820, version=4)
    here, there = rng.getrandbits(32), rng.getrandbits(32)
    conversation.up(small.wireguard_hello(rng, here))
    conversation.turn()
    conversation.down(small.wireguard_answer(rng, there, here))
    for number in range(habit.down // 1200):
        conversation.up(small.wireguard_data(rng, there, number, min(1200, habit.up // 8)))
        conversation.turn()
        conversation.down(small.wireguard_data(rng, here, number, 1200))
        conversation.wait(rng.randrange(2 * SECOND))
    diary.frames += conversation.frames


def _ssh(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    tcp = diary.tcp(place, time_us, 22)
    tcp.up(b"SSH-2.0-OpenSSH_9.8\r\n")
    tcp.down(b"SSH-2.0-babeld-3f2a\r\n")
    tcp.up(small.ssh_offer(tcp.rng))
    tcp.down(small.ssh_offer(tcp.rng))
    tcp.up(small.ssh_packet(b"\x1e" + small.ssh_text(tcp.rng.randbytes(32))))
    tcp.down(small.ssh_proof(tcp.rng) + small.ssh_packet(b"\x15"))
    tcp.up(small.ssh_packet(b"\x15"))
    for _ in range(5):
        tcp.up(tcp.rng.randbytes(max(36, habit.up // 5)))
        tcp.down(tcp.rng.randbytes(max(36, habit.down // 5)))
    tcp.close()
    diary.frames += tcp.frames


def _ping(diary: Diary, _habit: Habit, place: Place, time_us: int) -> None:
    own, far, begin = diary.reach(place, time_us, 0, 4)
    ident = diary.rng.getrandbits(16)
    for number in range(3):
        diary.add(begin + number * SECOND, lan.echo(own, far, ident, number, reply=False))
        diary.add(begin + number * SECOND + 14_200, lan.echo(far, own, ident, number, reply=True))


def _radio(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """Music over plain HTTP: a station that plays for an hour, and everybody on the way can hear it."""
    tcp = diary.tcp(place, time_us, 80)
    head = b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-br: 128\r\n\r\n"  # it does not say how long
    said = talk.web(tcp, place.name, "/live.mp3", diary.device.agent, head + tcp.rng.randbytes(4000))
    diary.claim("http", said, tcp.client.address, place.name)
    bulk.pour(tcp, int(habit.down * (0.5 + diary.rng.random())), up=False, seconds=habit.minutes * 60, joined=4)
    tcp.reset()
    diary.frames += tcp.frames


KINDS: dict[str, Act] = {
    "tls": _tls,
    "dot": _tls,
    "radio": _radio,
    "schannel": _tls,
    "vigil": _vigil,
    "quic": _quic,
    "http": _http,
    "local": _local,
    "mqtt": _mqtt,
    "ntp": _ntp,
    "call": _call,
    "wireguard": _wireguard,
    "ssh": _ssh,
    "ping": _ping,
    "beacon": story.beacon,
    "hammer": story.hammer,
    "relay": story.relay,
    "odd": story.odd,
    "ipsec": story.ipsec,
}


def act(diary: Diary, habit: Habit, time_us: int) -> None:
    """Let the device do `habit` once, from `time_us` on."""
    KINDS[habit.kind](diary, habit, PLACES.get(habit.to, NOWHERE), time_us)
