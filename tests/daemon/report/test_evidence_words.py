"""Evidence in a home owner's words: every key that identifying uses has some."""

from __future__ import annotations

import pytest

from daemon.identify import clues
from daemon.report.evidence_words import OCCASIONS, about_words, key_words, occasion_words


def test_everything_that_identifying_listens_to_has_words() -> None:
    for source, key in clues._USES:
        assert source in OCCASIONS
        assert key_words(key) != key, (source, key)
        assert "txt." not in key_words(key)


@pytest.mark.parametrize(("source", "key"), list(clues._USES))
def test_reason_is_a_sentence_and_names_no_field(source: str, key: str) -> None:
    """What somebody reads as `Why?`: not `it says nt: “upnp:rootdevice”`."""
    detail = clues.Clue("", source, key, "WORDS", 0).detail
    assert detail.startswith(("it ", "to web servers it ", "when it ")), detail
    assert "WORDS" in detail
    assert f"{key.removeprefix('txt.')}:" not in detail


def test_what_nobody_foresaw_is_shown_as_it_is() -> None:
    assert about_words("shoe size") == "shoe size"
    assert occasion_words("carrier-pigeon") == "carrier-pigeon"
    assert key_words("colour") == "colour"
    assert key_words("txt.colour") == "a note that it calls “colour”"
