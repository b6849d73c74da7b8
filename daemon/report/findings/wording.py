"""Numbers of the hunt as people say them."""

from __future__ import annotations

from daemon.report.findings.vocabulary import Stream

_PLAIN = 2.0  # below, the smaller unit says it better
_UNITS = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def every(period: float) -> str:
    """`every 5 minutes`, `every 36 seconds`, `every 1.5 hours`"""
    for length, unit in _UNITS:
        number = period / length
        if number >= 0.98:
            near = round(number)
            if abs(number - near) <= 0.03 * number:
                return f"every {unit}" if near == 1 else f"every {near} {unit}s"
            if number >= _PLAIN or unit == "second":
                return f"every {number:.1f} {unit}s" if number < 10 else f"every {number:.0f} {unit}s"
    return f"every {period:.1f} seconds"


def often(an_hour: float) -> str:
    """`4 times a second`, `12 times a minute`, `30 times an hour`, whichever is nearest to what people count."""
    for seconds, unit in ((3600, "a second"), (60, "a minute"), (1, "an hour")):
        number = an_hour / seconds
        if number >= 0.95:
            return f"{number:,.0f} times {unit}" if number >= 1.5 else f"once {unit}"
    return f"{an_hour * 24:.0f} times a day"


def whose(stream: Stream) -> str:
    """`mule.example (Example Ltd)`, `203.0.113.9, which nobody here asked for by name`"""
    if not stream.company:
        return stream.place
    # A company that has its owner in brackets gets none of its own around it.
    return f"{stream.place} of {stream.company}" if "(" in stream.company else f"{stream.place} ({stream.company})"


def service_of(stream: Stream) -> str:
    """`https on port 443`, `TCP port 8767`"""
    row = stream.first
    if row.port is None:
        return row.service or row.protocol
    if row.service:
        return f"{row.service} on port {row.port}"
    return f"{row.protocol.upper()} port {row.port}"


def length(seconds: float) -> str:
    """`3 days`, `45 minutes`"""
    for unit_length, unit in _UNITS:
        if seconds >= 1.5 * unit_length or unit == "second":
            number = round(seconds / unit_length)
            return f"{number} {unit}{'s' * (number != 1)}"
    return "no time"
