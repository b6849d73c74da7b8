"""Name servers that anybody may ask and that are met by address alone, because nobody asks for their names.

Rule 1: only addresses that their owners publish for everybody; whose they are is a matter of fact, no database tells.
Rule 2: an owner stands here by its name in the table of organisations.
"""

from __future__ import annotations

from collections.abc import Mapping

_OWNERS = {
    "Google": "8.8.8.8 8.8.4.4 2001:4860:4860::8888 2001:4860:4860::8844",
    "Cloudflare": "1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 2606:4700:4700::1111 2606:4700:4700::1001",
    "Quad9": "9.9.9.9 9.9.9.10 9.9.9.11 149.112.112.112 149.112.112.10 2620:fe::fe 2620:fe::9",
    "OpenDNS": "208.67.222.222 208.67.220.220 208.67.222.220 208.67.220.222 2620:119:35::35 2620:119:53::53",
    "Lumen": "4.2.2.1 4.2.2.2 4.2.2.3 4.2.2.4 4.2.2.5 4.2.2.6 209.244.0.3 209.244.0.4",
    "Alibaba": "223.5.5.5 223.6.6.6 2400:3200::1 2400:3200:baba::1",
    "Tencent": "119.29.29.29",
    "Baidu": "180.76.76.76",
    "Yandex": "77.88.8.8 77.88.8.1",
    "AdGuard": "94.140.14.14 94.140.15.15",
    "114DNS": "114.114.114.114 114.114.115.115",
}

RESOLVERS: Mapping[str, str] = {address: owner for owner, text in _OWNERS.items() for address in text.split()}
