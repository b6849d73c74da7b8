"""What products call themselves: the words by which a device shows its brand, model, kind and operating system.

Rule 1: a row is (where it is said, pattern, brand, model, kind, system); None where it tells nothing of the sort. A model
        with a backslash is filled from the pattern's groups. Where several rows fit one text, the first counts.
Rule 2: patterns are searched without regard to case. One that could stand in a person's own words (`Anna's iPhone`) is
        anchored, or tells no more than such words do.
Rule 3: brands are spelled as `daemon.identify.vendors` spells them, kinds as `daemon.identify.kinds` does.

Facts from products in the open: identifiers that they broadcast, names their makers print. No list was copied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

# Where something is said. MODEL: TXT records and the like that exist to tell the model; AGENT: User-Agent of HTTP, SSDP
# and UPnP; HOST: host and instance names; TYPE: UPnP types and mDNS services; CLASS: DHCP vendor and user class.
MODEL, AGENT, HOST, TYPE, CLASS = "model", "agent", "host", "type", "class"


class Product(NamedTuple):
    """A row of the tables below."""

    pattern: str
    brand: str | None
    model: str | None
    kind: str | None
    system: str | None


_Row = tuple[str, str | None, str | None, str | None, str | None]

_MODELS: tuple[_Row, ...] = (
    # Apple's identifiers: family, generation, variant
    (r"^iPhone\d+,\d+$", "Apple", "iPhone", "phone", "ios"),
    (r"^iPad\d+,\d+$", "Apple", "iPad", "tablet", "ios"),
    (r"^iPod\d+,\d+$", "Apple", "iPod touch", "phone", "ios"),
    (r"^Watch\d+,\d+$", "Apple", "Watch", "watch", None),
    (r"^AppleTV\d+,\d+$", "Apple", "Apple TV", "tv", "tvos"),
    (r"^AudioAccessory5,\d+$", "Apple", "HomePod mini", "voice-assistant", "tvos"),
    (r"^AudioAccessory\d+,\d+$", "Apple", "HomePod", "voice-assistant", "tvos"),
    (r"^MacBookPro\d+,\d+$", "Apple", "MacBook Pro", "computer", "macos"),
    (r"^MacBookAir\d+,\d+$", "Apple", "MacBook Air", "computer", "macos"),
    (r"^MacBook\d+,\d+$", "Apple", "MacBook", "computer", "macos"),
    (r"^iMac(Pro)?\d+,\d+$", "Apple", r"iMac", "computer", "macos"),
    (r"^Macmini\d+,\d+$", "Apple", "Mac mini", "computer", "macos"),
    (r"^(MacPro|Mac)\d+,\d+$", "Apple", "Mac", "computer", "macos"),
    (r"^AirPort", "Apple", "AirPort", "router", None),
    (r"^(B238a?AP|B520AP)$", "Apple", None, "voice-assistant", "tvos"),  # boards of HomePods
    # Google
    (r"^(Google )?(Home (Mini|Max|Hub)|Nest (Mini|Audio|Hub( Max)?))$", "Google", r"\2", "voice-assistant", None),
    (r"^Google Home$", "Google", "Home", "voice-assistant", None),
    (r"^Nest (Wifi|Wi-Fi).*", "Google", r"\g<0>", "router", None),
    (r"^Chromecast.*", "Google", r"\g<0>", "tv", None),
    (r"^Google Cast Group$", None, None, None, None),
    # Lamps, plugs, hubs
    (r"^BSB00[12]$", "Philips Hue", "Bridge", "hub", None),
    (r"^BSB003$", "Philips Hue", "Bridge Pro", "hub", None),
    (r"^(HS1\d\d|KP1\d\d|EP\d\d)\b", "TP-Link", r"\1", "plug", None),
    (r"^(HS2\d\d|KS2\d\d)\b", "TP-Link", r"\1", "switch", None),
    (r"^(KL\d\d\d|LB1\d\d|KB\d\d\d)\b", "TP-Link", r"\1", "bulb", None),
    (r"^(DCH-\w+)$", "D-Link", r"\1", "hub", None),
    (r"^(DSP-\w+)$", "D-Link", r"\1", "plug", None),
    (r"^(DCS-\w+)$", "D-Link", r"\1", "camera", None),
    (r"^Eve (Energy|Room|Door|Motion|Degree|Light).*", "Eve", r"Eve \1", None, None),
    # Televisions and boxes
    (r"^(AFT\w+)$", "Amazon", "Fire TV", "tv", "fireos"),
    (r"^(AEO\w+)$", "Amazon", "Echo", "voice-assistant", "fireos"),
    (r"^(\d{4}X)$", "Roku", r"\1", "tv", "roku"),
    (r"^(BRAVIA|KD-|XBR-|XR-)[\w -]*", "Sony", r"\g<0>", "tv", "android"),
    (r"^(OLED|[UNS][KMQTRU])\d\d\w+$", None, r"\g<0>", "tv", None),
    (r"^SHIELD( Android TV)?$", "NVIDIA", "SHIELD", "tv", "android"),
    # Printers, storage
    (r"\b(LaserJet|OfficeJet|DeskJet|ENVY|PhotoSmart)\b.*", "HP", r"\g<0>", "printer", None),
    (r"^(Brother )?((HL|DCP|MFC)-\w+)", "Brother", r"\2", "printer", None),
    (r"^(EPSON )?((ET|XP|WF|L|EW)-?\d{3,4}\w*)( Series)?$", "Epson", r"\2", "printer", None),
    (r"^(Canon )?((MG|TS|TR|MX|G|MF|LBP)\d{3,4}\w*)( series)?$", "Canon", r"\2", "printer", None),
    (r"^(DS|RS)\d{3,4}\w*\+?$", "Synology", r"\g<0>", "nas", None),
    (r"^(RackMac|Xserve|TimeCapsule)", "Apple", None, "nas", None),
    # Speakers
    (r"^(Sonos )?(One|Play:?[135]|Beam|Arc|Move|Roam|Ray|Era \d+|Playbar|Playbase|Port|Amp|Five|Sub)( SL| Gen\d)?$", "Sonos",
     r"\2", "speaker", None),
    (r"^(Bose )?(SoundTouch|Home Speaker|Soundbar)\b.*", "Bose", r"\g<0>", "speaker", None),
)  # fmt: skip

_AGENTS: tuple[_Row, ...] = (
    # Tokens of Android: `...; <model> Build/...`, or before the closing bracket
    (r"; (AFT\w+)( Build|\))", "Amazon", "Fire TV", "tv", "fireos"),
    (r"; AEORK( Build|\))", "Amazon", "Echo Spot", "voice-assistant", "fireos"),
    (r"; AEOKN( Build|\))", "Amazon", "Echo Show", "voice-assistant", "fireos"),
    (r"; (AEO\w+)( Build|\))", "Amazon", "Echo", "voice-assistant", "fireos"),
    (r"; (KF[A-Z]{3,6})( Build|\))", "Amazon", "Fire tablet", "tablet", "fireos"),
    (r"; (SM-[TPX]\w+)( Build|\))", "Samsung", r"\1", "tablet", "android"),
    (r"; (SM-R\w+)( Build|\))", "Samsung", r"\1", "watch", None),
    (r"; (SM-\w+|GT-[INS]\w+)( Build|\))", "Samsung", r"\1", "phone", "android"),
    (r"; (Pixel Tablet)( Build|\))", "Google", r"\1", "tablet", "android"),
    (r"; (Pixel[ \w]*|Nexus [456]P?X?)( Build|\))", "Google", r"\1", "phone", "android"),
    (r"; (Nokia [\w.]+)( Build|\))", "Nokia", r"\1", "phone", "android"),
    (r"; (LG-?[A-Z]{1,2}\w+|LM-\w+)( Build|\))", "LG", r"\1", "phone", "android"),
    (r"; (ONEPLUS \w+|GM19\d\d|IN20\d\d|LE21\d\d)( Build|\))", "OnePlus", r"\1", "phone", "android"),
    (r"; ((Redmi|POCO|Mi|MI|MIX|HM)[ \w]*)( Build| MIUI|\))", "Xiaomi", r"\1", "phone", "android"),
    (r"; (moto[ \w()]*|XT\d{4}[\w-]*)( Build|\))", "Motorola", r"\1", "phone", "android"),
    (r"; ((ANE|ELE|VOG|LYA|CLT|EML|POT|MAR|STK|HUAWEI)[- ]\w+)( Build|\))", "Huawei", r"\1", "phone", "android"),
    (r"; (BRAVIA[ \w]*)( Build|\))", "Sony", r"\1", "tv", "android"),
    (r"; (SHIELD[ \w]*)( Build|\))", "NVIDIA", "SHIELD", "tv", "android"),
    # Others that name themselves
    (r"\(iPhone;|\biPhone\d+,\d+", "Apple", "iPhone", "phone", "ios"),
    (r"\(iPad;|\biPad\d+,\d+", "Apple", "iPad", "tablet", "ios"),
    (r"\bAudioAccessory5,\d", "Apple", "HomePod mini", "voice-assistant", "tvos"),
    (r"\bAudioAccessory\d", "Apple", "HomePod", "voice-assistant", "tvos"),
    (r"\bAppleTV\d+,\d+|\bApple TV\b", "Apple", "Apple TV", "tv", "tvos"),
    (r"\bApple TVOS\b", "Apple", None, None, "tvos"),
    (r"\bWatch\d,\d", "Apple", "Watch", "watch", None),
    (r"\bMacintosh; Intel Mac OS X\b|\b[Mm]ac OS X\b|apple-darwin", "Apple", None, "computer", "macos"),
    (r"\bRoku\b.{0,20}\bDVP|^Roku", "Roku", None, "tv", "roku"),
    (r"SMART-TV.*Tizen|Tizen.*\bTV\b", "Samsung", "Smart TV", "tv", "tizen"),
    (r"\bTizen\b", "Samsung", None, None, "tizen"),
    (r"\bWeb0S\b|webOS.*TV", "LG", "Smart TV", "tv", "webos"),
    (r"\bPlayStation (\d)\b", "Sony", r"PlayStation \1", "console", None),
    (r"\bXbox\b", "Microsoft", "Xbox", "console", "windows"),
    (r"\bNintendo (Switch|WiiU|Wii|3DS)\b", "Nintendo", r"\1", "console", None),
    (r"\bSonos/", "Sonos", None, "speaker", None),
    (r"\bCrKey/", "Google", None, None, None),
    (r"\bIpBridge/", "Philips Hue", "Bridge", "hub", None),
    (r"^Withings\b", "Withings", None, None, None),
    (r"\bFRITZ!(Box|Repeater|Powerline)\b[\w ]*", "AVM", r"\g<0>", "router", None),
    (r"\bDSM/|Synology", "Synology", None, "nas", None),
    (r"\bQNAP", "QNAP", None, "nas", None),
    (r"\bKodi/", None, None, "tv", None),
    (r"\bLIFX\b", "LIFX", None, "bulb", None),
    (r"\bMiniUPnPd/", None, None, "router", None),
    (r"\bCrOS\b", None, None, "computer", "chromeos"),
    (r"Android.*\bMobile\b", None, None, "phone", "android"),
    (r"\bWindows Phone\b", "Microsoft", None, "phone", "windows"),
    (r"\bWindows NT\b|^Microsoft|Chrome/[\d.]+ Windows$", None, None, "computer", "windows"),
    (r"\bAndroid\b", None, None, None, "android"),
    (r"\bCFNetwork/[\d.]+ Darwin/", "Apple", None, None, None),
)  # fmt: skip

# A name that a product came with. Whatever a person adds (`Lucas-iMac`) tells no more than the product inside.
_HOSTS: tuple[_Row, ...] = (
    (r"(^|[-_ ])iPhone", "Apple", "iPhone", "phone", "ios"),
    (r"(^|[-_ ])iPad", "Apple", "iPad", "tablet", "ios"),
    (r"(^|[-_ ])MacBook[-_ ]?Pro", "Apple", "MacBook Pro", "computer", "macos"),
    (r"(^|[-_ ])MacBook[-_ ]?Air", "Apple", "MacBook Air", "computer", "macos"),
    (r"(^|[-_ ])MacBook", "Apple", "MacBook", "computer", "macos"),
    (r"(^|[-_ ])iMac", "Apple", "iMac", "computer", "macos"),
    (r"(^|[-_ ])Mac[-_ ]?mini", "Apple", "Mac mini", "computer", "macos"),
    (r"^HomePod[-_ ]?mini", "Apple", "HomePod mini", "voice-assistant", "tvos"),
    (r"^HomePod", "Apple", "HomePod", "voice-assistant", "tvos"),
    (r"(^|[-_ ])Apple[-_ ]?TV", "Apple", "Apple TV", "tv", "tvos"),
    (r"(^|[-_ ])Apple-?Watch", "Apple", "Watch", "watch", None),
    (r"(^|[-_ ])Galaxy[-_ ]?Tab", "Samsung", "Galaxy Tab", "tablet", "android"),
    (r"(^|[-_ ])Galaxy[-_ ]?Watch", "Samsung", "Galaxy Watch", "watch", None),
    (r"(^|[-_ ])Galaxy[-_ ]?([ASZMJ]\d+|Note ?\d+|[ZX]\w+)", "Samsung", r"Galaxy \2", "phone", "android"),
    (r"^Pixel[-_ ]?(\d\w*([-_ ](Pro|XL))?)", "Google", r"Pixel \1", "phone", "android"),
    (r"^(Redmi|POCO|Mi)[-_ ](Note|\d|[A-Z]\d)", "Xiaomi", None, "phone", "android"),
    (r"^OnePlus[-_ ]", "OnePlus", None, "phone", "android"),
    (r"^HUAWEI[-_ ]", "Huawei", None, None, None),
    (r"^android-[0-9a-f]{8,}", None, None, None, "android"),
    (r"^Google-?(Home|Nest)-?(Mini|Max|Hub|Audio)", "Google", r"\1 \2", "voice-assistant", None),
    (r"^Google-?Home", "Google", "Home", "voice-assistant", None),
    (r"^Chromecast", "Google", "Chromecast", "tv", None),
    (r"^amazon-[0-9a-f]{9}", "Amazon", None, None, "fireos"),
    (r"^(Echo|Alexa)[-_ ]?(Dot|Show|Spot|Studio|Plus)", "Amazon", r"Echo \2", "voice-assistant", "fireos"),
    (r"^Fire-?TV", "Amazon", "Fire TV", "tv", "fireos"),
    (r"^Ring-?Doorbell", "Ring", "Doorbell", "doorbell", None),
    (r"^Ring-", "Ring", None, None, None),
    (r"^Roku-?(Premiere|Express|Ultra|Streambar|Stick|Streaming Stick)", "Roku", r"\1", "tv", "roku"),
    (r"^Roku", "Roku", None, "tv", "roku"),
    (r"^TIZEN$", "Samsung", None, None, "tizen"),
    (r"^Samsung.*(Fridge|Refrigerator|Washer|Dryer|Oven)", "Samsung", None, "appliance", None),
    (r"^Samsung.*TV|^\[TV\]", "Samsung", "Smart TV", "tv", "tizen"),
    (r"^Samsung", "Samsung", None, None, None),
    (r"^LGwebOSTV|^LGSmartTV|^\[LG\] webOS TV", "LG", "Smart TV", "tv", "webos"),
    (r"^LG.?(Smart.?)?(Fridge|Washer|Dryer|Oven)", "LG", None, "appliance", None),
    (r"^(BRAVIA|KD-\d\d)", "Sony", "BRAVIA", "tv", "android"),
    (r"^PS([345])([-_]|$)", "Sony", r"PlayStation \1", "console", None),
    (r"^Xbox", "Microsoft", "Xbox", "console", "windows"),
    (r"^(Nintendo[-_ ]?)?(Switch|WiiU|Wii)$", "Nintendo", r"\2", "console", None),
    (r"^Sonos", "Sonos", None, "speaker", None),
    (r"^(HK|Harman[-_ ]?Kardon)[-_ ]Invoke", "Harman Kardon", "Invoke", "voice-assistant", None),
    (r"^(HK|Harman[-_ ]?Kardon)[-_ ]", "Harman Kardon", None, "speaker", None),
    (r"^Bose[-_ ]", "Bose", None, "speaker", None),
    (r"^Philips-?hue", "Philips Hue", "Bridge", "hub", None),
    (r"^Lightify", "Osram", "Lightify Gateway", "hub", None),
    (r"^(HS1\d\d|KP1\d\d|EP\d\d)\b", "TP-Link", r"\1", "plug", None),
    (r"^(HS2\d\d|KS2\d\d)\b", "TP-Link", r"\1", "switch", None),
    (r"^(KL\d\d\d|LB1\d\d)\b", "TP-Link", r"\1", "bulb", None),
    (r"^(Tapo[-_ ])?(P1\d\d)\b", "TP-Link", r"Tapo \2", "plug", None),
    (r"^(Tapo[-_ ])?([CD]\d{3})\b", "TP-Link", r"Tapo \2", "camera", None),
    (r"^Tapo[-_ ](L\d{3})", "TP-Link", r"Tapo \1", "bulb", None),
    (r"^(DCH-\w+)$", "D-Link", r"\1", "hub", None),
    (r"^(DCS-\w+)$", "D-Link", r"\1", "camera", None),
    (r"^wemo", "Belkin", "Wemo", None, None),
    (r"^shelly(plug|plus|pro|1|2|dimmer|em|rgbw|uni)?", "Shelly", None, "switch", None),
    (r"^wiz_", "WiZ", None, "bulb", None),
    (r"^yeelink-light", "Yeelight", None, "bulb", None),
    (r"^(roborock|rockrobo)", "Roborock", None, "vacuum", None),
    (r"^zhimi-airpurifier", "Xiaomi", "Air Purifier", "appliance", None),
    (r"^lumi-gateway", "Aqara", "Gateway", "hub", None),
    (r"^(iRobot|Roomba)-", "iRobot", "Roomba", "vacuum", None),
    (r"^AMC\w{10,}$", "Amcrest", None, "camera", None),
    (r"^Schlage", "Schlage", None, "lock", None),
    (r"^MyQ-", "Chamberlain", "myQ", "lock", None),
    (r"^Nest-(Cam|Hello)", "Google Nest", r"\1", "camera", None),
    (r"^WYZE_CAKP2JFUS", "Wyze", "Cam v3", "camera", None),
    (r"^WYZECP1", "Wyze", "Cam Pan", "camera", None),
    (r"^WYZEC1", "Wyze", "Cam", "camera", None),
    (r"^(Wyze|WYZEC)", "Wyze", None, None, None),
    (r"^ecobee", "ecobee", None, "thermostat", None),
    (r"^tado", "tado", None, "thermostat", None),
    (r"^(BRN|BRW)[0-9A-F]{12}$", "Brother", None, "printer", None),
    (r"^NPI[0-9A-F]{6}$|^HP[0-9A-F]{6}$", "HP", None, "printer", None),
    (r"^EPSON[0-9A-F]{6}$", "Epson", None, "printer", None),
    (r"^Canon[0-9A-F]{6}$", "Canon", None, "printer", None),
    (r"^(DiskStation|RackStation)", "Synology", r"\1", "nas", None),
    (r"^fritz\.?(box|repeater)", "AVM", r"FRITZ!\1", "router", None),
    (r"^raspberry-?pi", "Raspberry Pi", None, "computer", "linux"),
    (r"^(OpenWrt|LEDE|DD-WRT)", None, None, "router", "linux"),
    (r"^(DESKTOP|LAPTOP)-[0-9A-Z]{7}$", None, None, "computer", "windows"),
    (r"^chromebook", None, None, "computer", "chromeos"),
    (r"[-_ ](PC|Laptop|Notebook|Desktop)$", None, None, "computer", None),
    (r"virtual-machine$", None, None, "computer", None),
)  # fmt: skip

_TYPES: tuple[_Row, ...] = (
    (r"urn:Belkin:device:insight:", "Belkin", "Wemo Insight", "plug", None),
    (r"urn:Belkin:device:(controllee|socket):", "Belkin", "Wemo Switch", "plug", None),
    (r"urn:Belkin:device:lightswitch:", "Belkin", "Wemo Light Switch", "switch", None),
    (r"urn:Belkin:device:(dimmer|bridge|sensor|NetCam\w*):", "Belkin", r"Wemo \1", None, None),
    (r"urn:Belkin:", "Belkin", None, None, None),
    (r"urn:schemas-sonos-com:|uuid:RINCON_", "Sonos", None, "speaker", None),
    (r"^roku:ecp$|uuid:roku:ecp", "Roku", None, "tv", "roku"),
    (r"urn:samsung\.com:device:RemoteControlReceiver:", "Samsung", "Smart TV", "tv", "tizen"),
    (r"urn:lge-com:service:webos", "LG", "Smart TV", "tv", "webos"),
    (r"urn:schemas-sony-com:", "Sony", None, None, None),
    (r"urn:(schemas-)?avm-de:|urn:avm\.de:", "AVM", None, "router", None),
    (r"^_hue\._tcp$", "Philips Hue", "Bridge", "hub", None),
    (r"^_sonos\._tcp$", "Sonos", None, "speaker", None),
    (r"^_soundtouch\._tcp$", "Bose", "SoundTouch", "speaker", None),
    (r"^_nanoleaf(api|ms)\._tcp$", "Nanoleaf", None, "bulb", None),
    (r"^_amzn-", "Amazon", None, None, None),
    (r"^_(dhnap|dcp)\._tcp$", "D-Link", None, None, None),
    (r"^_viziocast\._tcp$", "Vizio", None, "tv", None),
    (r"^_(apple-mobdev2|airport|touch-able|appletv\w*|mediaremotetv|homekit|sleep-proxy|companion-link)\._(tcp|udp)$",
     "Apple", None, None, None),
    (r"^_(googlezone|googlerpc)\._tcp$", "Google", None, None, None),
    (r"^_shelly\._tcp$", "Shelly", None, None, None),
    (r"^_elg\._tcp$", "Elgato", None, "bulb", None),
    (r"^_axis-video\._tcp$", "Axis", None, "camera", None),
)  # fmt: skip

_CLASSES: tuple[_Row, ...] = (
    (r"^Withings", "Withings", None, None, None),
    (r"^MSFT 5\.0 XBOX|^XBOX", "Microsoft", "Xbox", "console", "windows"),
    (r"^MSFT 5\.0", None, None, "computer", "windows"),
    (r"^android-dhcp-", None, None, None, "android"),
    (r"^PS([345])", "Sony", r"PlayStation \1", "console", None),
    (r"Linux-[\w.+-]+:\w+:BCM27\d\d", "Raspberry Pi", None, "computer", "linux"),
    (r"^(AAPLBSDPC|Apple)", "Apple", None, "computer", "macos"),
    (r"^Mfg=(Hewlett|HP)", "HP", None, "printer", None),
    (r"^(Canon|EPSON|Brother|Lexmark|KYOCERA)", None, None, "printer", None),
    (r"^(yealink|snom|Grandstream|Polycom|Cisco Systems, Inc\. IP Phone)", None, None, "telephone", None),
    (r"^ubnt", "Ubiquiti", None, "router", None),
    (r"^iRobot", "iRobot", None, "vacuum", None),
    (r"^Roku", "Roku", None, "tv", "roku"),
    (r"^(udhcp|dhcpcd|busybox)", None, None, None, "linux"),
)  # fmt: skip

PRODUCTS: Mapping[str, tuple[Product, ...]] = {
    where: tuple([Product(*row) for row in rows])
    for where, rows in ((MODEL, _MODELS), (AGENT, _AGENTS), (HOST, _HOSTS), (TYPE, _TYPES), (CLASS, _CLASSES))
}


@cache
def _patterns(where: str) -> tuple[tuple[re.Pattern[str], Product], ...]:
    """One table, compiled when it is first asked: all two hundred patterns take as long as 10,000 packets."""
    return tuple([(re.compile(product.pattern, re.IGNORECASE), product) for product in PRODUCTS.get(where, ())])


def recognise(where: str, text: str) -> Product | None:
    """The first row that fits words said at `where`, its model filled in."""
    for pattern, product in _patterns(where):
        if match := pattern.search(text):
            model = product.model
            return product._replace(model=match.expand(model).strip()) if model and "\\" in model else product
    return None
