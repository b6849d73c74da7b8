"""The disk budget of captures, as the configuration says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.config import Config
    from daemon.ingest.budget import Limits
    from daemon.ingest.keep import Keeper

_DAY_US = 86_400 * 1_000_000
DELETE = "delete"


def limits_of(config: Config) -> Limits:
    """What captures may take."""
    from daemon.ingest.budget import Limits

    held = config.capture
    return Limits(
        most_bytes=held.keep_gib << 30 or None,
        age_us=held.keep_days * _DAY_US or None,
        floor=held.free_floor_mib << 20,
        gives_up=held.when_low == DELETE,
        thin_age_us=held.thin_after_days * _DAY_US or None,
    )


def keeper_of(config: Config) -> Keeper:
    """Whoever keeps captures within that."""
    from daemon.ingest.keep import Keeper, Policy

    policy = Policy(limits_of(config), config.capture.ballast_mib << 20)
    return Keeper(config.capture.folder, config.store.database, config.site.name, policy)
