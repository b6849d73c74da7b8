"""Brands behind the names of the hardware registry: whom people think they bought the device from.

Rule 1: who sells radio modules, network cards, or builds for others is in PARTS and is no brand: what is printed on the
        box is another name. The same holds for makers whose name begins with a city where such factories stand, unless
        BRANDS knows them.
Rule 2: BRANDS and PARTS are compared word by word from the start of a name, longest first; so `Philips Lighting BV` is
        found under `philips lighting`, and `Nestle` is not found under `nest`.
Rule 3: everyone else is a brand by their own name, without the legal form.

Facts known to anyone who has opened a few devices; no list was copied.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WORDS = re.compile(r"[^\W_]+", re.UNICODE)
_MOST_WORDS = 5

# Brand as people say it -> starts of names that mean it, lower case and words only.
_STARTS = {
    "Philips Hue": "philips lighting, philips hue, signify",
    "SmartThings": "physical graph, smartthings",
    "Google": "google",
    "Google Nest": "nest, google nest",
    "Samsung": "samsung",
    "LG": "lg electronics, lg",
    "HPE": "hewlett packard enterprise, aruba",
    "HP": "hewlett packard, hp inc",
    "Xiaomi": "xiaomi, beijing xiaomi",
    "TP-Link": "tp link",
    "MSI": "micro star",
    "ASUS": "asustek",
    "Gigabyte": "giga byte",
    "Sony": "sony",
    "Dahua": "zhejiang dahua, dahua",
    "Hikvision": "hangzhou hikvision, hikvision",
    "EZVIZ": "hangzhou ezviz, ezviz",
    "Reolink": "reolink, shenzhen reolink",
    "Skyworth": "shenzhen skyworth, skyworth",
    "DJI": "sz dji, dji",
    "Mercusys": "shenzhen mercury, mercury",
    "Tenda": "shenzhen tenda, tenda",
    "Oppo": "guangdong oppo, oppo",
    "Vivo": "vivo mobile",
    "Realme": "realme",
    "OnePlus": "oneplus",
    "Motorola": "motorola mobility",
    "Nokia": "hmd global, nokia danmark",
    "TCL": "tct mobile, tcl, shenzhen tcl, huizhou tcl",
    "Hisense": "hisense, qingdao hisense",
    "Midea": "gd midea, midea, guangdong midea",
    "Haier": "qingdao haier, haier",
    "Bosch Siemens Home": "bsh",
    "Belkin": "belkin, wemo",
    "Linksys": "cisco linksys, linksys",
    "Cisco Meraki": "cisco meraki, meraki",
    "Cisco": "cisco",
    "D-Link": "d link",
    "AVM": "avm",
    "Ubiquiti": "ubiquiti",
    "MikroTik": "routerboard, mikrotikls, mikrotik",
    "Edimax": "edimax",
    "Zyxel": "zyxel",
    "Huawei": "huawei",
    "Honor": "honor device",
    "ZTE": "zte",
    "Amcrest": "amcrest",
    "Wyze": "wyze",
    "Arlo": "arlo",
    "Ring": "ring",
    "Amazon": "amazon",
    "Blink": "immedia semiconductor, blink",
    "eero": "eero",
    "Osram": "osram, ledvance",
    "LIFX": "lifi labs",
    "WiZ": "wiz",
    "Yeelight": "yeelink, qingdao yeelink",
    "Aqara": "lumi united",
    "IKEA": "ikea",
    "Nanoleaf": "nanoleaf",
    "Shelly": "allterco, shelly",
    "tado": "tado",
    "Netatmo": "netatmo",
    "Withings": "withings",
    "Fitbit": "fitbit",
    "ecobee": "ecobee",
    "iRobot": "irobot",
    "Roborock": "beijing roborock, roborock",
    "Ecovacs": "ecovacs",
    "Sonos": "sonos",
    "Bose": "bose",
    "Harman Kardon": "harman kardon, hk",
    "Harman": "harman",
    "Roku": "roku",
    "Vizio": "vizio",
    "Nintendo": "nintendo",
    "NVIDIA": "nvidia",
    "Logitech": "logitech",
    "Chamberlain": "chamberlain, the chamberlain group",
    "Schlage": "schlage, allegion",
    "August": "august home",
    "Tesla": "tesla",
    "Brother": "brother",
    "Epson": "seiko epson, epson",
    "Canon": "canon",
    "Lexmark": "lexmark",
    "Ricoh": "ricoh",
    "Kyocera": "kyocera",
    "Synology": "synology",
    "QNAP": "qnap",
    "Raspberry Pi": "raspberry pi",
    "Microsoft": "microsoft",
    "Lenovo": "lenovo",
    "Dell": "dell",
    "Fujitsu": "fujitsu",
    "Supermicro": "super micro",
    "VirtualBox": "pcs systemtechnik",  # the block that its virtual machines use
    "VMware": "vmware",
    "Parallels": "parallels",
    "Grandstream": "grandstream",
    "Axis": "axis communications",
    "Hanwha": "hanwha",
    "Mobotix": "mobotix",
    "Imilab": "shanghai imilab, imilab",
    "Garmin": "garmin",
    "Miele": "miele",
    "Dyson": "dyson",
    "Vorwerk": "vorwerk",
    "Bosch": "robert bosch, bosch",
    "Buffalo": "buffalo",
    "Netgear": "netgear",
    "Zebra": "zebra technologies",
    "Juniper": "juniper",
    "SFR": "sfr",
}
BRANDS: dict[str, str] = {start: brand for brand, starts in _STARTS.items() for start in starts.split(", ")}

# Start of a registry name: makers of modules, chips and network cards, and those who build for brands.
PARTS: frozenset[str] = frozenset({
    "espressif", "tuya smart", "murata", "azurewave", "liteon", "lite on", "hon hai", "foxconn", "cloud network technology",
    "chongqing fugui", "realtek", "texas instruments", "universal global scientific", "samjin", "intel", "intel corporate",
    "broadcom", "qualcomm", "qualcomm atheros", "atheros", "mediatek", "ralink", "marvell", "nxp", "silicon laboratories",
    "stmicroelectronics", "nordic semiconductor", "microchip", "cypress", "infineon", "renesas", "bouffalo", "altobeam",
    "beken", "winner micro", "ampak", "fn link", "hui zhou gaoshengda", "gaoshengda", "sichuan ai link", "wisol",
    "samsung electro mechanics", "lg innotek", "usi", "quectel", "sierra wireless", "telit", "u blox", "simcom", "gainspan",
    "delta electronics", "libre wireless", "arcadyan", "askey", "wistron", "wistron neweb", "wnc", "pegatron", "compal",
    "quanta", "inventec", "lcfc", "universal electronics", "alpsalpine", "alps electric", "alps alpine", "mitsumi", "gemtek",
    "jorjin", "seong ji", "silex", "lantronix", "digi international", "wiznet", "earda", "china dragon", "tinno", "wingtech",
    "goertek", "weifang goertek", "taiyo yuden", "accton", "alpha networks", "cybertan", "sercomm", "senao", "winstars",
    "elitegroup", "hsing tech", "asrock", "annapurna", "integrated device technology", "cimsys", "multitech", "ieee",
    "em microelectronic", "bestechnic", "telink", "ingenic", "rockchip", "fuzhou rockchip", "allwinner", "amlogic",
    "ai link", "zowee", "rf link", "bilian", "icomm", "mercku", "tp vision", "flextronics", "jabil", "celestica", "sagemcom",
    "cig shanghai", "skyworth digital", "china mobile", "winbond", "ite tech", "laird", "redpine", "particle industries",
    "electric imp", "ayla", "icann",
    "xerox corporation",  # made-up and unset addresses begin with its zeros
})  # fmt: skip

_FACTORY_TOWNS = frozenset({
    "shenzhen", "guangzhou", "dongguan", "huizhou", "hui", "zhongshan", "sichuan", "chongqing", "fujian", "xiamen",
    "hangzhou", "shanghai", "suzhou", "wuhan", "nanjing", "taicang", "qingdao", "hefei", "zhejiang", "jiangsu", "guangdong",
    "beijing", "tianjin", "hunan", "hk", "hong", "hongkong", "ningbo", "wuxi", "foshan", "zhuhai", "chengdu",
})  # fmt: skip

_LEGAL = frozenset({
    "inc", "incorporated", "ltd", "limited", "llc", "co", "corp", "corporation", "gmbh", "ag", "bv", "b", "v", "nv", "n",
    "sa", "s", "a", "as", "spa", "srl", "ab", "oy", "oyj", "kg", "plc", "pty", "pte", "company", "kk", "lp", "llp", "sas",
    "sarl", "aps", "holdings", "group", "usa", "the", "cokg", "mbh", "se", "lt",
})  # fmt: skip


class Maker(NamedTuple):
    """What a name of the registry is worth: a brand, or, with `brand` None, somebody who makes parts for brands."""

    registered: str
    brand: str | None


def judge(registered: str) -> Maker:
    """The brand behind a name of the hardware registry."""
    words = [word.lower() for word in _WORDS.findall(registered)]
    starts = [" ".join(words[:count]) for count in range(min(len(words), _MOST_WORDS), 0, -1)]
    for start in starts:
        if start in BRANDS:
            return Maker(registered, BRANDS[start])
        if start in PARTS:
            return Maker(registered, None)
    if not words or words[0] in _FACTORY_TOWNS:
        return Maker(registered, None)
    return Maker(registered, plain(registered))


def plain(name: str) -> str:
    """A company's name without its legal form: `Foo Robotics Co., Ltd.` is `Foo Robotics`."""
    kept = name.replace(",", " ").split()
    while len(kept) > 1 and all(part in _LEGAL for part in _WORDS.findall(kept[-1].lower())):
        kept.pop()
    return " ".join(kept)


def brand_of(said: str) -> str:
    """The brand as this module spells it, of words that a device used for its maker."""
    return judge(said).brand or plain(said)
