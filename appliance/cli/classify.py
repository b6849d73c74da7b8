"""`homeport classify`: whose a destination is, and what it is to the device."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.config import load_config


@click.command("classify", short_help="Say whose destinations are, and what they are to the device.")
@click.option("--input", "source", metavar="FILE", help="CSV with the columns device_vendor, device, domain.")
@click.option("--output", metavar="FILE", help="CSV to write in place of standard output; complete, or not there.")
@click.option("--db", "database", metavar="FILE", help="Database whose whole past is judged anew. [store.database]")
@click.option("--owner", metavar="FILE", help="File of the owner's words, with --db. [store.owner]")
@click.option("--site", metavar="NAME", help="Home that is meant, with --db. [site.name]")
@click.option(
    "--organisations",
    metavar="FILE",
    multiple=True,
    help="File of organisations that extends ours; may be given several times. [classify.organisations]",
)
def command(
    source: str | None,
    output: str | None,
    database: str | None,
    owner: str | None,
    site: str | None,
    organisations: tuple[str, ...],
) -> None:
    """Say whose destinations are: first, support, third or platform party, with organisation and reason.

    With --db, all of a home's past is judged anew, after rules, tables or the owner's words have changed, and what
    changed is said (as CSV with --output).

    With --input, for pairs of a device and a domain, without any capture: all columns are repeated, and party,
    organisation, purpose, rule_id and reason added. docs/classification.md explains them.
    """
    if (source is None) == (database is None):
        raise click.UsageError("say what to judge: --input FILE or --db FILE, one of both")
    config = load_config(
        {
            "store.database": database,
            "store.owner": owner,
            "site.name": site,
            "classify.organisations": organisations,
        }
    )
    from appliance.knowledge import knowledge_of

    knowledge = knowledge_of(config)
    if source is not None:
        from appliance.pairs import label_pairs

        label_pairs(Path(source), output, knowledge.classifier)
    else:
        from appliance.judged import judge_database

        judge_database(config, knowledge, output)
