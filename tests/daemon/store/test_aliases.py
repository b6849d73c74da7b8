"""Where chains of aliases end is written with the messages; of messages of earlier versions, when a database is opened."""

from __future__ import annotations

from contextlib import closing
from importlib import import_module
from pathlib import Path

from daemon.store.aliases import read_aliases
from daemon.store.database import open_database
from daemon.store.prune import prune
from tests.daemon.ingest.houses import CDN, home
from tests.daemon.ingest.scenes import lookup, talk
from tests.support.answers import chain, told
from tests.support.packets import START_US

TARGETS = "SELECT m.id, n.text FROM dns_message m LEFT JOIN name n ON n.id = m.target_id ORDER BY m.id"


def test_messages_of_before_learn_where_their_chains_end(tmp_path: Path) -> None:
    links = ("shop.example", "edge.cdn.example", "node7.cloud.example")
    database = home(
        tmp_path,
        lookup(START_US, "plain.example", CDN),
        told(START_US, "shop.example", *chain(CDN, *links)),
        told(START_US, "alone.example", ("alone.example", "CNAME", "asked.by.nobody.example")),
        talk(START_US + 1_000_000, server=CDN),
    )
    with closing(open_database(database)) as db:
        found = db.execute(TARGETS).fetchall()
        assert {text for _, text in found} == {None, "node7.cloud.example", "asked.by.nobody.example"}
        month = db.execute("SELECT month FROM alias").fetchone()[0]
        aliases = {"shop.example": "node7.cloud.example", "alone.example": "asked.by.nobody.example"}
        assert read_aliases(db, 1, month) == aliases
        db.execute("UPDATE dns_message SET target_id = NULL")
        db.execute("DELETE FROM alias")
        db.execute("DELETE FROM name WHERE text = 'asked.by.nobody.example'")
        for statement in import_module("daemon.store.migrations.0018_targets").STATEMENTS[1:]:
            db.execute(statement)
        assert db.execute(TARGETS).fetchall() == found


def test_the_end_of_a_chain_stays_as_long_as_its_message(tmp_path: Path) -> None:
    database = home(tmp_path, told(START_US, "alone.example", ("alone.example", "CNAME", "asked.by.nobody.example")))
    with closing(open_database(database)) as db:
        db.execute("DELETE FROM alias")
        prune(db)
        assert "asked.by.nobody.example" in [text for _, text in db.execute(TARGETS)]
