"""`homeport config`: how this box is set up, and which file says so."""

from __future__ import annotations

import click

from appliance.config import KEYS, load_config
from appliance.console import LEFT, say, table


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@click.command("config")
@click.option("--describe", is_flag=True, help="Say what each key is for and which values it takes.")
def command(describe: bool) -> None:
    """Show each setting, its value and who set it."""
    config = load_config()
    rows = [(name, _shown(config.value(name)), config.sources[name]) for name in KEYS]
    table("Configuration", [("key", LEFT), ("value", LEFT), ("from", LEFT)], rows)
    if describe:
        for key in KEYS.values():
            say(f"{key.name}: {key.type}, {key.about.allowed}. {key.about.purpose}")
