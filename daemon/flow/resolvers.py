"""Host names under which resolvers answer DNS over HTTPS.

Rule 1: a name counts with everything below it, on label boundaries: `abc123.dns.nextdns.io` is one, `notdns.google` is
        not.
Rule 2: only hosts that serve DNS and hardly anything else stand here; a web site would turn browsing into DNS.
Rule 3: the list is never complete: a name missing here is shown as an ordinary destination, not hidden.
"""

from __future__ import annotations

from functools import lru_cache

DOH_NAMES = frozenset(
    {
        "dns.google",
        "dns.google.com",
        "cloudflare-dns.com",  # with mozilla., chrome., security., family.
        "one.one.one.one",
        "cloudflare-gateway.com",
        "dns.quad9.net",
        "dns9.quad9.net",
        "dns10.quad9.net",
        "dns11.quad9.net",
        "dns12.quad9.net",
        "doh.opendns.com",
        "doh.familyshield.opendns.com",
        "doh.sandbox.opendns.com",
        "doh.umbrella.com",
        "dns.adguard.com",
        "dns-family.adguard.com",
        "dns-unfiltered.adguard.com",
        "dns.adguard-dns.com",
        "family.adguard-dns.com",
        "unfiltered.adguard-dns.com",
        "d.adguard-dns.com",
        "dns.nextdns.io",
        "dns1.nextdns.io",
        "dns2.nextdns.io",
        "doh.dns.apple.com",
        "doh.cleanbrowsing.org",
        "doh.xfinity.com",
        "doh.cox.net",
        "dns.controld.com",
        "freedns.controld.com",
        "dns.mullvad.net",
        "doh.mullvad.net",
        "doh.libredns.gr",
        "doh.dns.sb",
        "doh.sb",
        "doh.pub",
        "dns.alidns.com",
        "doh.360.cn",
        "doh.applied-privacy.net",
        "dns.digitale-gesellschaft.ch",
        "doh.ffmuc.net",
        "dns.switch.ch",
        "dns.twnic.tw",
        "public.dns.iij.jp",
        "doh.tiar.app",
        "dns.njal.la",
        "dns0.eu",
        "ordns.he.net",
        "wikimedia-dns.org",
        "dns.comss.one",
        "private.canadianshield.cira.ca",
        "protected.canadianshield.cira.ca",
        "family.canadianshield.cira.ca",
        "odvr.nic.cz",
        "basic.rethinkdns.com",
        "max.rethinkdns.com",
        "sky.rethinkdns.com",
    }
)

_TAILS = frozenset(".".join(name.split(".")[-2:]) for name in DOH_NAMES)

_MOST_LABELS = 32  # a name of more labels is looked at from its end


@lru_cache(maxsize=4096)
def is_doh_name(name: str) -> bool:
    """Whether a server name (lower case, no final dot) is a known DoH resolver's."""
    if ".".join(name.rsplit(".", 2)[-2:]) not in _TAILS:  # as of nearly all
        return False
    labels = name.split(".")[-_MOST_LABELS:]
    return any(".".join(labels[i:]) in DOH_NAMES for i in range(len(labels) - 1))
