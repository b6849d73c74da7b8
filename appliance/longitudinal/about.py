"""`device.json`: what a run knew of a device, for the steps that come after it and see no capture."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.console import CannotDoError
from appliance.longitudinal.files import read_json, write_json
from appliance.longitudinal.first_party import Maker
from appliance.longitudinal.layout import DeviceFolder


@dataclass(frozen=True, slots=True)
class About:
    """Maker, kind and MAC of the device of a folder; None where nobody knows."""

    maker: Maker | None = None
    kind: str | None = None
    mac: str | None = None


def write_about(folder: DeviceFolder, about: About) -> None:
    """Keep it beside the tables."""
    write_json(
        folder.about,
        {
            "device": folder.device,
            "manufacturer": about.maker.name if about.maker else None,
            "manufacturer_known_by": about.maker.source if about.maker else None,
            "kind": about.kind,
            "mac": about.mac,
        },
    )


def read_about(folder: DeviceFolder) -> About:
    """What a run has kept, if there was one. Raises CannotDoError where the file is something else."""
    if not folder.about.exists():
        return About()
    value = read_json(folder.about)
    if not isinstance(value, dict):
        raise CannotDoError(f"{folder.about}: wants a JSON object")
    name, source, kind, mac = (
        each if isinstance(each := value.get(key), str) and each else None
        for key in ("manufacturer", "manufacturer_known_by", "kind", "mac")
    )
    return About(Maker(name, source or "device.json") if name else None, kind, mac)
