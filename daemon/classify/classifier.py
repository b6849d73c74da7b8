"""Whose is this destination, and what is it to this device? Pure: dataclasses in, dataclasses out.

Rule 1: a verdict is about one device, one destination, one month. The same question has the same answer, whatever was
        asked before.
Rule 2: every question is answered: what nothing is known of is `unknown`, with the reason.
Rule 3: the end of a chain of aliases is named as infrastructure and decides nothing: it is the name that was asked for
        that says whose service this is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from daemon.classify.evidence import Case, Gatherer
from daemon.classify.names import PUBLIC
from daemon.classify.organisations import Match, OrganisationTable
from daemon.classify.purposes import purpose_of
from daemon.classify.reasons import reason_of
from daemon.classify.rules import Rule, decide
from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict

if TYPE_CHECKING:
    from daemon.classify.place import Place

_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'
_MEDIUM, _LOW = "medium", "low"
_EVERYWHERE = frozenset({"cdn", "dns"})  # answer from many places: any country is one of several


class Classifier:
    """Judges destinations with one table of organisations and, where there is one, an atlas of addresses."""

    def __init__(self, organisations: OrganisationTable, place: Callable[[str], Place | None] | None = None) -> None:
        self._gatherer = Gatherer(organisations, place)

    def match(self, domain: str) -> Match | None:
        """The owner of a domain by the table alone, remembered for the judgements that follow."""
        return self._gatherer.match(domain)

    def about(self, device: DeviceProfile) -> Hashable:
        """What an answer depends on of the device: a device that is only called otherwise has the verdicts that it had.

        Many have no maker of which anybody knows.
        """
        return self._gatherer.about(device)

    def asked(self, destination: Destination) -> Hashable:
        """What an answer depends on of the destination: many addresses of one service lie in one place.

        Where this and `about` are the same the verdict is the same.
        """
        return self._gatherer.asked(destination)

    def judge(self, device: DeviceProfile, destination: Destination) -> Verdict:
        """The party of a destination for a device, with organisation, purpose, rule and reason. Any text is judged."""
        return self.judge_all(device, [destination])[0]

    def judge_all(self, device: DeviceProfile, destinations: Iterable[Destination]) -> list[Verdict]:
        """The same of several, one step after the other."""
        cases = [self._gatherer.gather(device, destination) for destination in destinations]
        rules = [decide(case) for case in cases]
        reasons = [reason_of(rule.reason, case) for rule, case in zip(rules, cases, strict=True)]
        return [self._verdict(*each) for each in zip(cases, rules, reasons, strict=True)]

    def _verdict(self, case: Case, rule: Rule, reason: str) -> Verdict:
        name = case.name if case.name is not None and case.name.sort == PUBLIC else None
        place = case.place
        return _new(Verdict, (
            rule.party,
            case.owner.organisation.name if case.owner else case.guess,
            rule.purpose or purpose_of(case.kind, rule.party, case.spoken),
            rule.rule_id,
            reason,
            name.registrable if name else None,
            name.tenant if name else None,
            _infrastructure(case),
            place.asn if place else None,
            place.country if place else None,
            _confidence(case) if place else None,
            self._gatherer.called(case),
        ))  # fmt: skip


def _infrastructure(case: Case) -> str | None:
    target = (case.destination.alias_target or "").lower().strip(".")
    return target if target and (case.name is None or target != case.name.text) else None


def _confidence(case: Case) -> str | None:
    """How sure the country is. The atlas may not know that an address delivers for a network that is everywhere."""
    told = case.place.confidence if case.place else None
    return _LOW if told == _MEDIUM and {case.kind, case.carrier} & _EVERYWHERE else told
