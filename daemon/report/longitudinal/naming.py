"""What an organisation is called in the monthly table.

The table of organisations has everyday names (`Sonos`, `Amazon`). Papers and the document that this pipeline follows use
the company's registered name, and for rented infrastructure the cloud's own brand. Both are derived here, never guessed:

Rule 1: infrastructure goes by the brand under which it is rented (`Amazon AWS`).
Rule 2: else the registered name, if the table has it among the aliases: the everyday name and nothing but words of a
        legal form behind it (`Sonos, Inc.` -> `Sonos Inc`).
Rule 3: else the everyday name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from daemon.classify.words import LEGAL

_RENTED = ("cloud", "cdn", "hosting")
CLOUD_BRANDS: Mapping[tuple[str, str], str] = {  # (organisation, kind of domain)
    **{("Amazon", kind): "Amazon AWS" for kind in _RENTED},
    **{("Microsoft", kind): "Microsoft Azure" for kind in _RENTED},
    **{("Alibaba", kind): "Alibaba Cloud" for kind in _RENTED},
    **{("Tencent", kind): "Tencent Cloud" for kind in _RENTED},
    **{("Huawei", kind): "Huawei Cloud" for kind in _RENTED},
    **{("Oracle", kind): "Oracle Cloud" for kind in _RENTED},
    **{("IBM", kind): "IBM Cloud" for kind in _RENTED},
    ("Google", "cloud"): "Google Cloud",  # its delivery hosts serve its own pages, not tenants
    ("Google", "hosting"): "Google Cloud",
}


def organisation_name(name: str, kind: str | None, aliases: Iterable[str]) -> str:
    """What to call the organisation `name` at a domain of that kind (None: unknown)."""
    brand = CLOUD_BRANDS.get((name, kind or ""))
    return brand or next((found for alias in aliases if (found := _registered(name, alias))), name)


def _registered(name: str, alias: str) -> str | None:
    words = re.sub(r"[.,]", " ", alias).split()
    plain = name.split()
    rest = [word.lower() for word in words[len(plain) :]]
    same = [word.lower() for word in words[: len(plain)]] == [word.lower() for word in plain]
    return " ".join([*plain, *words[len(plain) :]]) if same and rest and set(rest) <= LEGAL else None
