"""Every report there is: one row makes it a command, a page, a CSV file and an answer of the API.

Rule: a report is a module `daemon.report.<module>` with `report(scope) -> Report`; it is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:  # a list of reports costs no numpy
    from daemon.report.scope import Scope
    from daemon.report.table import Report


@dataclass(frozen=True, slots=True)
class Kind:
    """One report: `name` as it is typed and stands in addresses, `question` what it answers, in a person's words."""

    name: str
    module: str
    title: str
    question: str
    only: tuple[str, ...] = ()  # by what words of `Scope.only` it can be narrowed

    def make(self, scope: Scope) -> Report:
        """Answer the question."""
        module = import_module(f"daemon.report.{self.module}")
        return cast("Callable[[Scope], Report]", module.report)(scope)


_WHOM = ("party", "country", "company")

KINDS = (
    Kind("companies", "companies", "Companies", "Who gets data from this home, how much, and who is new?", _WHOM),
    Kind(
        "company-devices",
        "company_devices",
        "Companies and devices",
        "Which device gives data to which company?",
        _WHOM,
    ),
    Kind(
        "families",
        "families",
        "Companies and their families",
        "What are these companies, where do they sit, who owns them, and what else is of the same house?",
        _WHOM,
    ),
    Kind(
        "destinations",
        "destinations",
        "Destinations",
        "Which names and addresses does data go to, and whose are they?",
        _WHOM,
    ),
    Kind("sources", "sources", "Sources", "Which names and addresses does data come from, and whose are they?", _WHOM),
    Kind(
        "destination",
        "destination",
        "One destination",
        "Which devices had to do with one name or address, in which months, in which way?",
        ("destination",),
    ),
    Kind(
        "watching",
        "watching",
        "Advertising and tracking",
        "How much of it is advertising and tracking, by which companies and on which devices?",
    ),
    Kind(
        "countries",
        "countries",
        "Countries",
        "In which countries are the computers that data goes to and comes from?",
        _WHOM,
    ),
    Kind("places", "places", "Places", "Where on the map, and in whose network, are they?", _WHOM),
    Kind("months", "months", "Months", "How much went to which kind of company, month by month?", ("party", "company")),
    Kind(
        "month-changes",
        "month_changes",
        "Changes between two months",
        "Which companies came, went, grew or shrank?",
        ("party", "company"),
    ),
    Kind("changes", "changes", "Changes by device", "What is new, gone or different of every device, month by month?"),
    Kind(
        "coverage", "coverage", "Names known and not", "How much of the traffic has a name, and why has the rest none?"
    ),
    Kind(
        "devices", "devices", "Devices", "How many devices are there, and how much did each send and receive, to whom?"
    ),
    Kind(
        "device-destinations",
        "device_destinations",
        "Devices and destinations",
        "Where does each device send its data, whose is that, and why do we think so?",
    ),
    Kind(
        "device-sources", "device_sources", "Devices and sources", "Where does the data come from that devices receive?"
    ),
    Kind("device-addresses", "device_addresses", "Addresses of devices", "Which device had which address, and when?"),
    Kind(
        "device-hints",
        "device_hints",
        "What devices say of themselves",
        "What does each device say of itself, to whom, and since when?",
    ),
    Kind("activity", "activity", "Activity", "Which devices are always on, and which only when somebody uses them?"),
    Kind("night", "night", "Nights", "What do devices do while people sleep?"),
    Kind("news", "news", "News", "Which devices, companies and countries are new?"),
    Kind("protocols", "protocols", "Protocols", "Which protocols are spoken, by packets, bytes and mean length?"),
    Kind("encryption", "encryption", "Encryption", "How much is encrypted, and which devices send in the open?"),
    Kind("reach", "reach", "In and out of the house", "How much leaves the house, stays in it, or is only discovery?"),
    Kind("ip-versions", "ip_versions", "IPv4 and IPv6", "How much goes over IPv6, and which devices use it?"),
    Kind(
        "resolvers", "resolvers", "DNS servers", "Which DNS servers do devices ask, and did the home give them these?"
    ),
    Kind("names", "names_asked", "Names asked for", "Which names are asked for most, and by whom?"),
    Kind("names-by-device", "names_by_device", "Names by device", "Which names does each device ask for most?"),
    Kind("slots", "slots", "Traffic over time", "How many packets and bytes moved in every quarter of an hour?"),
    Kind("applications", "applications", "Applications", "Which applications were used when, and by which device?"),
    Kind("requests", "requests", "Request rates", "How often does each device ask for names and connect?"),
    Kind("gaps", "gaps", "What is missing", "What was not captured, not kept or not understood?"),
    Kind("captures", "captures", "Capture files", "Which files were recorded, what do they hold, and what was lost?"),
    Kind("findings", "findings.listing", "Findings", "What in the traffic is worth a look, and why?"),
)

REPORTS = {kind.name: kind for kind in KINDS}
