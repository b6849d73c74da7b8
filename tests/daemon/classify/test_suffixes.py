"""The public suffix list as it is read, against tldextract's own answers."""

from __future__ import annotations

import pytest
from tldextract import TLDExtract

from daemon.classify.suffixes import ListedSuffixes, public_suffixes, read_suffixes

LIST = """// a comment
com
co.uk
uk
*.ck
!www.ck
食狮.公司.cn
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
// somebody : https://example.com
s3.amazonaws.com
*.compute.amazonaws.com
"""


@pytest.mark.parametrize(
    ("name", "public", "everyone"),
    [
        ("example.com", 1, 1),
        ("www.example.co.uk", 2, 2),
        ("a.b.ck", 2, 2),
        ("www.ck", 1, 1),
        ("x.www.ck", 1, 1),
        ("somewhere.nosuchtop", 1, 1),
        ("bucket.s3.amazonaws.com", 1, 3),
        ("s3.amazonaws.com", 1, 3),
        ("i-1.eu.compute.amazonaws.com", 1, 4),
        ("compute.amazonaws.com", 1, 1),
        ("x.xn--85x722f.xn--55qx5d.cn", 3, 3),
    ],
)
def test_rules_of_the_list(name: str, public: int, everyone: int) -> None:
    suffixes = read_suffixes(LIST.encode())
    assert suffixes.lengths(name.split(".")) == (public, everyone)


def test_every_rule_as_tldextract_reads_it() -> None:
    """A dozen private wildcards below other rules it reads in its own way; those names are nobody's."""
    suffixes, asked = public_suffixes(), TLDExtract(suffix_list_urls=(), cache_dir=None)
    assert isinstance(suffixes, ListedSuffixes)
    rules = sorted(suffixes.everyone)[::3]
    assert len(rules) > 2500
    different = 0
    for rule in rules:
        labels = f"a.b.{rule.removeprefix('!').replace('*', 'c')}".split(".")
        for private, length in zip((False, True), suffixes.lengths(labels), strict=True):
            suffix = asked.extract_str(".".join(labels), include_psl_private_domains=private).suffix
            different += length != suffix.count(".") + 1
    assert different <= 3
