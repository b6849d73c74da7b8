"""What a check concludes."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, BAD, ABSENT = "ok", "warn", "bad", "not applicable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: how it stands, the sentence that says so, and what to do where something is to be done."""

    check: str
    status: str  # OK, WARN (it goes on, but look at it), BAD (something is lost), ABSENT (there is nothing to check)
    sentence: str
    remedy: str = ""


def needs_attention(findings: list[Finding]) -> bool:
    """Whether somebody should do something."""
    return any(finding.status in (WARN, BAD) for finding in findings)
