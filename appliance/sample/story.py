"""The habits that somebody should notice: a steady beacon, a hammer, an odd port, an address that nobody asked for.

Rules: as in `habits`; nothing here does harm, it is only what a careful reader of a home's traffic would ask about.
"""

from __future__ import annotations

import struct

from appliance.sample import wire
from appliance.sample.chance import chance
from appliance.sample.device import Habit
from appliance.sample.diary import DAY, SECOND, Diary
from appliance.sample.places import Place
from appliance.sample.talk import Datagrams
from appliance.sample.wire import ACK, RST, SYN, End, Frame

_JITTER = 0.02  # of a beacon's period
_DTLS = b"\x17\xfe\xfd\0\1"  # application data, DTLS 1.2, epoch 1 (RFC 6347 section 4.1)


def beacon(diary: Diary, habit: Habit, place: Place, _time_us: int) -> None:
    """A few bytes each `habit.minutes` minutes, all day and over midnight, a little early or late, from one port."""
    period = habit.minutes * 60 * SECOND
    first = -(-max(diary.begin_us, diary.day_us) // period) * period
    for number, clock in enumerate(range(first, diary.day_us + DAY - period // 4, period)):
        begin = clock + int(period * _JITTER * diary.rng.uniform(-1, 1)) + period // 8
        own, far, begin = diary.reach(place, begin, 5684, 4)
        talk = Datagrams(End(own.mac, own.address, 49_900), far, begin, diary.rng)
        talk.up(_sealed(diary, number, habit.up))
        talk.turn()
        talk.down(_sealed(diary, number, habit.down))
        diary.frames += talk.frames


def _sealed(diary: Diary, number: int, size: int) -> bytes:
    return _DTLS + number.to_bytes(6, "big") + struct.pack(">H", size) + diary.rng.randbytes(size)


def hammer(diary: Diary, habit: Habit, place: Place, _time_us: int) -> None:
    """Readings that nobody takes, all day at one pace: `habit.up` datagrams, `habit.down` refused connections.

    Frames come from templates, as there are tens of thousands: only times, ports and numbers differ, and a checksum
    moves as far as they do (RFC 1624).
    """
    own, far, begin = diary.reach(place, diary.begin_us + 2 * SECOND, 8089, 4)
    rng, end = chance("hammer", diary.device.key, diary.day_us), diary.day_us + DAY
    reading = wire.udp(own, far, b"air,id=1 pm=" + b"%04x" % (diary.day_us // DAY & 0xFFFF))
    for number, clock in enumerate(range(begin, end - SECOND, int(DAY / diary.share / habit.up))):
        diary.frames.append(Frame(clock + rng.randrange(9_000), reading))
        if not number % 900:
            diary.quote(reading, far, clock + 22_000)
    attempt, answer = _Template(own, far, SYN), _Template(far, own, RST | ACK)
    for number, clock in enumerate(range(begin + 3 * SECOND, end - SECOND, int(DAY / diary.share / habit.down))):
        diary.look_up(place, clock - SECOND)
        port, start = 49_152 + number % 16_000, rng.getrandbits(32)
        diary.frames.append(Frame(clock, attempt.fill(port, 8086, start, 0)))
        diary.frames.append(Frame(clock + 21_000 + rng.randrange(4_000), answer.fill(8086, port, 0, start + 1)))


class _Template:
    """A TCP segment without data whose ports and numbers are filled in."""

    def __init__(self, src: End, dst: End, flags: int) -> None:
        src, dst = End(src.mac, src.address), End(dst.mac, dst.address)
        frame = wire.packet(src, dst, wire.TCP, wire.tcp_segment(src, dst, 0, 0, flags, b""))
        self._head, self._tail, self._rest = frame[:34], frame[46:50], frame[52:]
        self._sum = 0xFFFF - int.from_bytes(frame[50:52], "big")

    def fill(self, source: int, target: int, seq: int, ack: int) -> bytes:
        """The frame with these numbers in it."""
        middle = struct.pack(">HHII", source, target, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF)
        found = 0xFFFF - (self._sum + int.from_bytes(middle, "big")) % 0xFFFF
        return self._head + middle + self._tail + struct.pack(">H", found) + self._rest


def relay(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """Datagrams to an address that is built in; the first of them finds nobody there, and the answer says so."""
    own, far, begin = diary.reach(place, time_us, 32_100, 4)
    talk = Datagrams(own, far, begin, diary.rng)
    for number in range(6):
        talk.up(b"\xf1\0" + struct.pack(">H", habit.up) + diary.rng.randbytes(habit.up))
        if number:
            talk.turn()
            talk.down(b"\xf1\1\0\x14" + diary.rng.randbytes(20))
        else:
            diary.quote(talk.frames[0].data, far, talk.clock + 24_000)
        talk.wait(2 * SECOND)
    diary.frames += talk.frames


def odd(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """A protocol of somebody's own over TCP, on a port that no service has."""
    tcp = diary.tcp(place, time_us, 48_101)
    for _ in range(8):
        tcp.up(b"\x02" + tcp.rng.randbytes(habit.up // 8))
        tcp.down(b"\x03" + tcp.rng.randbytes(habit.down // 8))
        tcp.wait(tcp.rng.randrange(20 * SECOND))
    tcp.close()
    diary.frames += tcp.frames


def ipsec(diary: Diary, habit: Habit, place: Place, time_us: int) -> None:
    """A tunnel without ports: ESP straight in IP (RFC 4303 section 2), as an office's gateway wants it."""
    own, far, clock = diary.reach(place, time_us, 0, 4)
    here, there = diary.rng.getrandbits(32), diary.rng.getrandbits(32)
    for number in range(1, habit.down // 1200 + 2):
        for src, dst, spi, size in ((own, far, here, habit.up // 10), (far, own, there, 1200)):
            payload = struct.pack(">II", spi, number) + diary.rng.randbytes(size // 4 * 4)
            diary.add(clock, wire.packet(src, dst, wire.ESP, payload, ident=number))
            clock += diary.rng.randrange(SECOND)
