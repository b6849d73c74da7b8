"""The registries of DNS: resource record types and response codes, number to mnemonic.

Rule: what IANA has not named is written by its number, `TYPE<n>` (RFC 3597 section 5) and `RCODE<n>`, so that every
number has exactly one text. Source: IANA "Domain Name System (DNS) Parameters".
"""

from __future__ import annotations

A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV, DNAME, OPT, NSEC, SVCB, HTTPS = 1, 2, 5, 6, 12, 16, 28, 33, 39, 41, 47, 64, 65

# Runs of consecutive numbers: the first number, then the names in order.
_TYPE_RUNS: tuple[tuple[int, str], ...] = (
    (1, "A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP NSAP-PTR SIG KEY PX"),
    (27, "GPOS AAAA LOC NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK OPT APL DS SSHFP IPSECKEY RRSIG NSEC"),
    (48, "DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA"),
    (55, "HIP NINFO RKEY TALINK CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID"),
    (99, "SPF UINFO UID GID UNSPEC NID L32 L64 LP EUI48 EUI64"),
    (128, "NXNAME"),
    (249, "TKEY TSIG IXFR AXFR MAILB MAILA ANY URI CAA AVC DOA AMTRELAY RESINFO WALLET CLA IPN"),
    (32768, "TA DLV"),
)
TYPES: dict[int, str] = {first + i: name for first, run in _TYPE_RUNS for i, name in enumerate(run.split())}

_RCODE_RUNS: tuple[tuple[int, str], ...] = (
    (0, "NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI"),
    (16, "BADVERS BADKEY BADTIME BADMODE BADNAME BADALG BADTRUNC BADCOOKIE"),
)
RCODES: dict[int, str] = {first + i: name for first, run in _RCODE_RUNS for i, name in enumerate(run.split())}


def type_text(number: int) -> str:
    """The mnemonic of a record type (0-65535); 255, `*` in the registry, is `ANY`."""
    return TYPES.get(number) or f"TYPE{number}"


def rcode_text(number: int) -> str:
    """The mnemonic of a response code, with the upper eight bits from EDNS (0-4095)."""
    return RCODES.get(number) or f"RCODE{number}"
