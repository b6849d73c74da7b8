"""The kinds of devices, and what tells a kind when no product is recognised.

Rule 1: a kind is what a person would call the thing in one word. People's devices show what their owner reads and
        watches; they are in PEOPLE, and kept with more discretion than a bulb.
Rule 2: strongest first: the owner, the product, what the device offers to the house (HomeKit category, services), its
        operating system, at last what its brand mostly makes. A brand that makes many things tells none.
"""

from __future__ import annotations

KINDS: dict[str, str] = {
    "phone": "mobile phone",
    "tablet": "tablet or e-reader",
    "computer": "laptop, desktop, server or virtual machine",
    "watch": "watch or band for the wrist",
    "tv": "television, or a box or stick for one",
    "speaker": "loudspeaker, soundbar, hi-fi",
    "voice-assistant": "loudspeaker or screen that one talks to",
    "console": "games console",
    "camera": "camera, baby monitor, recorder of cameras",
    "doorbell": "doorbell, with a camera mostly",
    "bulb": "lamp, bulb or light strip",
    "plug": "socket that can be switched",
    "switch": "switch, dimmer, relay, remote control",
    "thermostat": "thermostat, heating or cooling",
    "lock": "door lock, garage or gate opener",
    "sensor": "sensor, weather station, smoke alarm",
    "health": "scale, blood pressure monitor, other body measurement",
    "energy": "meter, solar inverter, battery, charger",
    "vacuum": "robot that cleans or mows",
    "appliance": "fridge, washer, oven, air purifier, other household machine",
    "hub": "bridge or hub that devices without Wi-Fi hang on",
    "car": "car or other vehicle",
    "printer": "printer or scanner",
    "nas": "network storage",
    "router": "router, access point, network switch, modem",
    "telephone": "desk telephone or adapter for one",
}
NOUNS = {  # where the word itself makes no name
    "tv": "TV", "voice-assistant": "voice assistant", "health": "health device", "energy": "energy device", "nas": "NAS",
    "vacuum": "robot",
}  # fmt: skip
PEOPLE = frozenset({"phone", "tablet", "computer"})

# HomeKit accessory categories, the `ci` of `_hap._tcp` (HomeKit Accessory Protocol, accessory category identifiers).
CATEGORIES: dict[str, str] = {
    "2": "hub", "4": "lock", "5": "bulb", "6": "lock", "7": "plug", "8": "switch", "9": "thermostat", "10": "sensor",
    "11": "sensor", "12": "lock", "15": "switch", "17": "camera", "18": "doorbell", "19": "appliance", "20": "thermostat",
    "21": "thermostat", "22": "appliance", "23": "appliance", "24": "tv", "25": "voice-assistant", "26": "speaker",
    "28": "appliance", "31": "tv", "32": "switch", "33": "router", "34": "speaker", "35": "tv", "36": "tv",
}  # fmt: skip

# mDNS service -> kind, only where hardly anything else offers it.
SERVICES: dict[str, str] = {
    "_ipp._tcp": "printer",
    "_ipps._tcp": "printer",
    "_pdl-datastream._tcp": "printer",
    "_printer._tcp": "printer",
    "_scanner._tcp": "printer",
    "_uscan._tcp": "printer",
    "_hue._tcp": "hub",
    "_sonos._tcp": "speaker",
    "_soundtouch._tcp": "speaker",
    "_musc._tcp": "speaker",
    "_bluesound._tcp": "speaker",
    "_androidtvremote._tcp": "tv",
    "_androidtvremote2._tcp": "tv",
    "_viziocast._tcp": "tv",
    "_mediaremotetv._tcp": "tv",
    "_touch-able._tcp": "tv",
    "_amzn-wplay._tcp": "tv",
    "_nanoleafapi._tcp": "bulb",
    "_nanoleafms._tcp": "bulb",
    "_wled._tcp": "bulb",
    "_elg._tcp": "bulb",
    "_lifx._tcp": "bulb",
    "_axis-video._tcp": "camera",
    "_arlo-video._tcp": "camera",
    "_rtsp._tcp": "camera",
    "_psia._tcp": "camera",
    "_adisk._tcp": "nas",
    "_qdiscover._tcp": "nas",
    "_apple-mobdev2._tcp": "phone",
    "_workstation._tcp": "computer",
    "_rfb._tcp": "computer",
    "_nvstream._tcp": "computer",
    "_sip._udp": "telephone",
    "_ihsp._tcp": "hub",
    "_home-assistant._tcp": "hub",
    "_dirigera._tcp": "hub",
    "_coap._udp": "hub",
    "_sensibo._tcp": "thermostat",
    "_fbx-api._tcp": "router",
}

# Words in UPnP device types (`urn:schemas-upnp-org:device:<type>:<version>`).
DEVICE_TYPES: dict[str, str] = {
    "mediarenderer": "speaker",
    "zoneplayer": "speaker",
    "internetgatewaydevice": "router",
    "wandevice": "router",
    "printer": "printer",
    "scanner": "printer",
    "digitalsecuritycamera": "camera",
    "binarylight": "bulb",
    "dimmablelight": "bulb",
    "hvac_system": "thermostat",
    "dial": "tv",
}

# Kind -> brands nearly all of whose networked devices are that.
_MOSTLY = {
    "speaker": "Sonos, Bose, Bluesound, Denon, Teufel",
    "tv": "Roku, Vizio, Hisense, Skyworth, TP Vision, Loewe",
    "hub": "Philips Hue, SmartThings, eQ-3",
    "console": "Nintendo",
    "thermostat": "ecobee, tado, Danfoss, Daikin, Sensibo",
    "vacuum": "iRobot, Roborock, Ecovacs, Dreame, Neato Robotics, Husqvarna",
    "printer": "Lexmark, Brother, Epson, Kyocera, Ricoh, Canon, OKI, Zebra",
    "nas": "Synology, QNAP, Western Digital, Drobo",
    "camera": "Amcrest, Hikvision, Dahua, Reolink, EZVIZ, Axis, Hanwha, Mobotix, Arlo, Blink, Foscam, Imilab",
    "router": "AVM, eero, Ubiquiti, MikroTik, Netgear, Zyxel, Tenda, Mercusys, Linksys, Cisco, Cisco Meraki, Juniper, "
    "Ruckus Wireless, Fortinet, Buffalo, SFR, Sky Uk",
    "computer": "VMware, VirtualBox, Parallels, Raspberry Pi, Dell, MSI, Gigabyte, Supermicro",
    "health": "Withings, Fitbit, Omron Healthcare",
    "sensor": "Netatmo, Davis Instruments",
    "lock": "Schlage, August, Chamberlain, Nuki Home Solutions",
    "bulb": "Nanoleaf, LIFX, WiZ, Yeelight",
    "appliance": "Miele, Dyson, Midea, Haier, Bosch Siemens Home, Vorwerk, Whirlpool, Electrolux",
    "watch": "Garmin",
    "car": "Tesla",
    "phone": "Oppo, Vivo, Realme, OnePlus, Motorola, Honor",
    "telephone": "Grandstream, Snom Technology, Yealink, Gigaset Communications, Polycom",
    "energy": "SolarEdge Technologies, Enphase Energy, SMA Solar Technology, Fronius International",
}
BRANDS: dict[str, str] = {brand: kind for kind, brands in _MOSTLY.items() for brand in brands.split(", ")}

# Starts of registry names that tell more than their brand.
REGISTERED: tuple[tuple[str, str], ...] = (
    ("Sony Interactive", "console"),
    ("Sony Computer Entertainment", "console"),
    ("LG Electronics (Mobile", "phone"),
    ("HMD Global", "phone"),
    ("Nokia Danmark", "phone"),
    ("TCT mobile", "phone"),
    ("Sony Mobile", "phone"),
    ("Microsoft Mobile", "phone"),
    ("TP-Link Corporation", "router"),
)
