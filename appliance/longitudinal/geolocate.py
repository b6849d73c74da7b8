"""The step `geolocate`: the country of each address."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.console import CannotDoError, printable
from appliance.longitudinal.files import read_json

if TYPE_CHECKING:
    from daemon.classify.place import Atlas


def open_places(database: Path | None, folder: Path) -> Atlas:
    """An owner's database, else whatever the data folder has. Raises CannotDoError."""
    from daemon.classify.address_files import AddressFileError
    from daemon.store.atlas_files import open_atlas, open_country_file

    if database is None:
        return open_atlas(folder)
    try:
        return open_country_file(database)
    except (AddressFileError, OSError) as error:
        raise CannotDoError(str(error)) from error


def locate(addresses: Iterable[str], atlas: Atlas) -> dict[str, dict[str, str | None]]:
    """{address: {country_iso_code, country_name}}; null for both where no database knows, or the address is no place."""
    found = {}
    for address in addresses:
        place = atlas.look_up(address)
        found[address] = {
            "country_iso_code": place.country if place else None,
            "country_name": place.country_name if place else None,
        }
    return found


def read_addresses(path: Path) -> list[str]:
    """The addresses of an `all_ips.json`, or the keys of an `ip_domain_map.json`. Raises CannotDoError."""
    from daemon.classify.names import is_address

    value = read_json(path)
    addresses = list(value) if isinstance(value, (list, dict)) else None
    if addresses is None or not all(isinstance(each, str) for each in addresses):
        raise CannotDoError(f"{printable(path)}: wants a JSON list of addresses, such as all_ips.json")
    odd = next((each for each in addresses if not is_address(each)), None)
    if odd is not None:
        raise CannotDoError(f"{printable(path)}: {printable(odd[:60])} is no address; nothing was written")
    return sorted(set(addresses))
