"""Names of companies as people, papers and registries write them, brought to one form and compared.

Rule 1: a name is a tuple of words: lower case, without accents and punctuation. `TP-LINK TECHNOLOGIES CO.,LTD.` and
        `TP-Link` mean the same, and what makes them so are tables of words, not guesses about letters.
Rule 2: a word that is also an everyday word (`Ring`, `Apple`, `Nest`) is a brand only where it stands alone.
Rule 3: any text is a name; the longest one is cut, nothing raises.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

LONGEST = 200  # characters of a name that are looked at
MOST_WORDS = 16
LEAST_BRAND = 4  # characters that a brand needs to be recognised inside a domain
LEAST_HEAD = 6  # and where anything may follow it
LEAST_PLAIN = 3  # and a short one or an everyday word, in the domains of its own devices
LEAST_AFFIXED = 5  # and where other words are glued to it, unless it is the brand that is looked for


def listed(text: str) -> frozenset[str]:
    """A table of words, written as text."""
    return frozenset(text.split())


LEGAL = listed(
    "inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg kgaa se sa sas sarl srl spa bv"
    " nv oy oyj ab aps as asa pty pte pvt sdn bhd kk kabushiki kaisha the and tbk doo sro zrt kft ltda cv"
)
PRODUCTS = listed(
    "appliance appliances smart iot wifi camera cameras cam cams doorbell bulb bulbs plug plugs speaker speakers tv tvs"
    " television hub bridge thermostat sensor sensors lock locks light lights switch switches gateway router vacuum"
    " printer player stick box phone phones tablet watch kettle scale display device devices home base station car"
    " laptop computer desktop chime socket strip outlet streamer console freezer fridge washer dryer oven robot"
)
GENERIC = PRODUCTS | listed(
    "technologies technology tech techno electronics electronic electrical electric communications communication"
    " telecommunications digital mobile software systems system networks network networking international global group"
    " holding holdings industries industrial industry product products solution solutions service services lab labs"
    " laboratory laboratories manufacturing mfg trading science development research semiconductor semiconductors"
    " information consumer internet things intelligent intelligence innovation innovations innovative robotics"
    " automation lighting security audio video multimedia media entertainment engineering enterprise enterprises design"
    " precision data computers computing online connect connected wireless cloud us usa uk eu europe european america"
    " american asia pacific india china japan korea taiwan deutschland germany france italia nederland hong kong hk"
    " singapore north beijing shenzhen shanghai guangzhou guangdong hangzhou zhejiang dongguan huizhou zhuhai ningbo"
    " foshan xiamen fujian qingdao hefei wuhan nanjing suzhou jiangsu chengdu sichuan tianjin chongqing dalian city"
    " branch division business unit assistant"
)
UNKNOWN_WORDS = listed(
    "unknown none null na generic various other others unbranded oem private randomised randomized noname nobrand misc"
)
# Everyday words and names of people that are also brands or products: no evidence inside a longer text.
COMMON = listed(
    "abode alert amber apple arc area aria astro atlas aura august aurora avid axis beam bell bliss blink block"
    " blue bolt bond boost book bosco bright brother buddy bulb button cable canary candle canon cast chime circle"
    " clear click cloud club color colour compass control core cosmo cove crown curve cube dash dawn delta desk"
    " dish dome door dot dream drop dyna eagle earth echo eden edge element ember energy engage eve ever evo"
    " family fan fast fire first flash flex flow flux focus fox free fresh frame future galaxy game garage garden gate"
    " general gold good grace grand green grid guard habit halo happy harmony haven hawk health heart heat helix hero"
    " hive home honest honor hoop house hub hue ideal image impact infinity insight iron jasper joule jump just"
    " kind king kiss lamp level life lift light lighthouse lily line link lion little live lock logic loop love lumen"
    " luna magic main map mark master match matrix matter max merge meta meter mind mini mint mirror mobile mode modern"
    " moment moon motion mountain mouse music nature neat nest never next night noble noon north notion nova ocean"
    " office omega omni onyx open optimum orange orbit origin owl pacific page panda pearl peak pebble petal phoenix"
    " photon piano pilot pixel place plant play plum point polar portal power press pride prime pro pulse pure quest"
    " quick radio rain ranger rapid reach real rest ring rise river roam robin rock root royal safe sage sale scout sea"
    " secure sense sentry shark shell shield side signal silent silver simple simply sky sleep smart snow solo sonic"
    " sound source space spark spectrum speed spot spring square star station stream street studio summit sun super"
    " surface swan swift switch target team thread tide tile time titan torch total touch tower track trust twin union"
    " unity universal urban valve vector verse vision visual vital vivid voice wall watch water wave weather web west"
    " wild wind window wings wink wish wolf wonder word work world zen zero zone mail maps news shop store music"
    " photos movies games radio drive docs chat video videos search cloud ads analytics metrics test static assets"
    " image images media content data info service services support online global digital secure update updates"
    " server servers network networks internet device devices connect system systems"
)
# What is glued to a brand in its own domains: sengledCLOUD.com, api-sengled.com, MYsonos.com.
AFFIXES = listed(
    "ac account accounts accountservice ads air aircon aircontrol alpha america analytics api apis app apps asia"
    " assets audio auth auto b2b baby backend bell beta biz bridge bs bulb business cam camera cameras cams car care"
    " cars cast cctv cdn central charge charger charging clean cloud cloudapi club cn co com comfort connect connected"
    " connection content control cook corp cp data ddns de dealer dev developer developers device devices digital"
    " direct doorbell drive driver dvr edge electronics emea energy eu europe firmware fit fitness fota fridge fw game"
    " games garden gateway get global go group gw health heat heating heatpump help hk home homes hq hub i id ident"
    " idm ij image images img in inc info installer int international internet intl inverter io iot iotcloud ip ipc it"
    " jp kids kitchen kr lab labs lamp lan latam laundry life light lighting lights link lite live lock locks log"
    " login logs mail mea media mein meine metrics mi mijn min mobile mobileapp mon mqtt msg music my nas net network"
    " networks news ntp nvr ocpp official one onecloud online open openapi ota oven p2p partner partners pay pet pets"
    " phone phones photos platform plug plus portal prd preprod print printer printers pro prod push pv qa radio relay"
    " rest robot robots router scan sec secure security server servers service services sg shop sip sleep smart"
    " smarthome smartlife software solar sso stage staging stat static stats stg storage store stream streaming stun"
    " support svc system systems tech technologies technology telematics telemetry test the thermostat time tls tools"
    " tracking turn tv uat uk update updates upload us usa user vacuum video voice voip wallbox wan washer water"
    " weather web wifi wireless world ws www zone"
)
# Tops below which anybody may have a name, and which are somebody's brand all the same: `example.ninja`, `example.bond`.
OPEN_TOPS = AFFIXES | listed("bet bond box bot casa eco fly free mobi moto ninja ovh star style top trust")
_COUNTS = "0123456789"


def _ascii() -> dict[int, str]:
    table = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
    return table | {ord(joined): "" for joined in ".'`"} | {ord("&"): " and "}


_ASCII = _ascii()


@lru_cache(maxsize=16384)
def words(text: str) -> tuple[str, ...]:
    """The words of a name: lower case, no accents, no punctuation; apostrophes and dots inside words join."""
    cut = text[:LONGEST]
    if cut.isascii():  # nearly every name
        return tuple(cut.translate(_ASCII).split()[:MOST_WORDS])
    plain = unicodedata.normalize("NFKD", cut).casefold().replace("\u2019", "")
    plain = "".join(c for c in plain if not unicodedata.combining(c)).translate(_ASCII)
    return tuple("".join(c if c.isalnum() else " " for c in plain).split()[:MOST_WORDS])


def squashed(parts: tuple[str, ...]) -> str:
    """The words without gaps, as in a domain; `TP-Link`, `TP Link` and `tplink` are one."""
    return "".join(parts)


def without_legal(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The words without legal forms (`Inc`, `GmbH`), unless nothing else is left."""
    return parts if LEGAL.isdisjoint(parts) else tuple(word for word in parts if word not in LEGAL) or parts


def without_generic(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The words without legal forms, trades and places; () where nothing else is left."""
    return tuple(word for word in parts if word not in LEGAL and word not in GENERIC)


def says_nothing(text: str | None) -> bool:
    """Whether a vendor's name is none: empty, `unknown`, `n/a`, only legal forms."""
    parts = words(text or "")
    return squashed(parts) in UNKNOWN_WORDS or all(word in UNKNOWN_WORDS or word in LEGAL for word in parts)


def alternatives(text: str) -> Iterator[str]:
    """A name, then the parts of one that gives several: `Signify (Philips Hue)`, `Google/Nest`, `Nest x Yale`."""
    yield text
    cut = text[:LONGEST]
    for mark in ("/", "|", "(", ")", ",", ";", ":", " x ", " by "):
        cut = cut.replace(mark, "\n")
    parts = [part.strip() for part in cut.split("\n")]
    if len(parts) > 1:
        yield from (part for part in parts if part)


def windows(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every run of words, the longest first and from the left."""
    for length in range(len(parts), 0, -1):
        for start in range(len(parts) - length + 1):
            yield parts[start : start + length]


def is_telling(brand: str) -> bool:
    """Whether a brand, squashed, is evidence inside a longer text or a domain."""
    return len(brand) >= LEAST_BRAND and brand not in COMMON and brand not in GENERIC and not brand.isdigit()


def is_affix(text: str) -> bool:
    """Whether a text is made of up to three words that people glue to their brand: `cloud`, `myhome`, `scan2cloud`, ``."""
    rest = {text.lstrip(_COUNTS)}
    for _ in range(3):
        if "" in rest:
            return True
        rest = {part[len(word) :].lstrip(_COUNTS) for part in rest for word in _heads(part)}
    return "" in rest


def _heads(text: str) -> Iterator[str]:
    for length in range(1, min(len(text), 14) + 1):
        if text[:length] in AFFIXES:
            yield text[:length]


def carries(label: str, brand: str) -> bool:
    """Whether a label of a domain is this brand (squashed), begins with it, or has it between affixes.

    Who names a domain puts the brand first, or a word such as `my` or `get` before it. `notsonos` is not Sonos.
    """
    plain = label.replace("-", "")
    if brand not in plain or not is_telling(brand):
        return False
    if label.partition("-")[0] == brand or (len(brand) >= LEAST_HEAD and plain.startswith(brand)):
        return True
    start = plain.find(brand)
    while start >= 0:
        if is_affix(plain[:start]) and is_affix(plain[start + len(brand) :]):
            return True
        start = plain.find(brand, start + 1)
    return False


def names_plainly(label: str, brand: str) -> bool:
    """Whether a label of a domain is this brand (squashed), short or an everyday word as it may be: with nothing but
    affixes after it (`wink`, `ringassets`, `lgcloud`), or with anything after a hyphen (`saj-electric`). Evidence only
    for devices of that very brand; `ringtones` is none.
    """
    if not brand or brand in GENERIC:
        return False
    if len(brand) >= LEAST_PLAIN and label.partition("-")[0] == brand:
        return True
    plain = label.replace("-", "")
    rest = plain.removeprefix(brand)
    if rest == plain or not is_affix(rest):
        return False
    return len(brand) > LEAST_PLAIN or len(rest) >= LEAST_PLAIN or label.startswith(f"{brand}-")


def in_brackets(*names: str | None) -> str:
    """Names of one owner as one text, the nearest first: `Vudu (Fandango, Comcast)`. None is twice in it."""
    flat = [part.strip() for name in names if name for part in name.rstrip(")").replace(" (", ", ").split(", ")]
    once: dict[str, str] = {}
    for part in flat:
        once.setdefault(squashed(words(part)), part)
    first, *rest = once.values()
    return f"{first} ({', '.join(rest)})" if rest else first
