"""How each kind of habit sounds on the wire.

Rules: one function a kind, found by the `KINDS` table; no kind knows a device.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from appliance.sample import http, lan, small, talk, tls, wire
from appliance.sample.device import Habit
from appliance.sample.devices import DEVICES
from appliance.sample.diary import HOUR, NET4, SECOND, Diary
from appliance.sample.places import OPERATORS, PLACES, Place, addresses
from appliance.sample.wire import End

NOWHERE = Place("", "hetzner")
Act = Callable[[Diary, Habit, Place, int], None]


def _secure(diary: Diary, place: Place, time_us: int, stack: tls.Stack) -> talk.Tcp:
    """An opened TLS connection; the day's later ones to the same name mostly resume the first."""
    tcp = diary.tcp(place, time_us, 443)
    resumed = diary.met_before(place) and diary.rng.random() < 0.7
    greeting = talk.Greeting(place.name, OPERATORS[place.operator].organisation, place.tls == "1.3", resumed)
    said = talk.shake(tcp, stack, greeting)
    diary.claim("tls", said, tcp.client.address, place.name)
    return tcp


def _tls(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """HTTPS in one to three requests; phones and speakers now and then drop the connection instead of closing it."""
    stack = tls.STACKS["schannel" if habit.kind == "schannel" else diary.device.stack]
    tcp = _secure(diary, place, time_us, stack)
    rng = diary.rng
    swing = 0.5 + rng.random()
    talk.exchange(
        tcp, int(habit.up * swing), int(habit.down * swing), rng.choice((1, 1, 2, 3)), rng.randrange(4 * SECOND)
    )
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
    far = End(conversation.server.mac, addresses(PLACES["@collector"], 4)[0], 2 * rng.randrange(5000, 9000))
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


def _hammer(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """Tiny packets at a constant rate for five hours; now and then the far end says that nobody listens there."""
    begin = max(diary.begin_us, min(time_us, diary.day_us + 18 * HOUR))
    own, far, begin = diary.reach(place, begin, 8089, 4)
    count = int(3600 * habit.times)
    for number in range(count):
        clock = begin + number * 5 * SECOND + diary.rng.randrange(4000)
        frame = wire.udp(own, far, b"air,id=1 pm=" + struct.pack(">H", number).hex().encode(), ident=number)
        diary.add(clock, frame)
        if number % 240 == 0:
            diary.quote(frame, far, clock + 22_000)


def _refused(diary: Diary, _habit: Habit, place: Place, time_us: int) -> None:
    """A server that does not take connections, tried again and again."""
    own, far, begin = diary.reach(place, time_us, 8086, 4)
    for number in range(4):
        tcp = talk.Tcp(own, far, begin + number * 30 * SECOND, diary.rng)
        tcp.refused()
        diary.frames += tcp.frames


KINDS: dict[str, Act] = {
    "tls": _tls,
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
    "hammer": _hammer,
    "refused": _refused,
}


def act(diary: Diary, habit: Habit, time_us: int) -> None:
    """Let the device do `habit` once, from `time_us` on."""
    KINDS[habit.kind](diary, habit, PLACES.get(habit.to, NOWHERE), time_us)
