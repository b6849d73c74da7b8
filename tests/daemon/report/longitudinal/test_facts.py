from __future__ import annotations

from itertools import permutations

from daemon.report.longitudinal.facts import gather, is_name
from daemon.report.longitudinal.home import Home
from daemon.report.longitudinal.vocabulary import MonthFacts
from daemon.store.longitudinal import Asked, Greeting, Talk, Told

DEVICE, SERVER, OTHER = "192.168.1.20", "198.51.100.1", "198.51.100.2"


def facts(
    asked: list[Asked] | None = None,
    told: list[Told] | None = None,
    greetings: list[Greeting] | None = None,
    talks: list[Talk] | None = None,
) -> MonthFacts:
    return gather(Home(), asked or [], told or [], greetings or [], talks or [])


def question(name: str, kind: str = "A", questions: int = 1, responses: int = 1) -> Asked:
    return Asked(0, name, kind, questions, responses, 100, 200)


def answer(
    query: str, value: str, kind: str = "A", name: str | None = None, times: int = 1, last_us: int = 200
) -> Told:
    return Told(0, query, name or query, kind, value, times, last_us)


def said(name: str, source: str, server: str, times: int, first_us: int, last_us: int) -> Greeting:
    return Greeting(0, name, source, server, hidden=False, times=times, first_us=first_us, last_us=last_us)


def talk(
    name: str | None, server: str = SERVER, *, client: str = DEVICE, times: int = 1, source: str | None = "dns",
    private: bool = False, early: bool = False, octets: int = 1000,
) -> Talk:  # fmt: skip
    return Talk(0, client, server, name, source if name else None, private, early, times, octets, 300, 400)


def test_question_and_answer_are_one_lookup() -> None:
    found = facts([question("a.example", questions=3, responses=2), question("a.example", "AAAA", 0, 2)])
    contact = found.contacts["a.example"]
    assert (contact.query_types, contact.count, contact.first_us, contact.last_us) == (("A", "AAAA"), 5, 100, 200)


def test_name_without_an_answer_is_kept() -> None:
    assert facts([question("gone.example", responses=0)]).contacts["gone.example"].addresses == ()


def test_address_keeps_all_names_most_used_first() -> None:
    told = [answer("b.example", SERVER, times=9), answer("a.example", SERVER), answer("c.example", SERVER, times=2)]
    talks = [talk("a.example", times=5), talk("b.example", times=2)]
    for order in permutations(told):
        assert facts(told=list(order), talks=talks).names == {SERVER: ("a.example", "b.example", "c.example")}


def test_equal_use_is_ordered_by_name() -> None:
    assert facts(told=[answer("b.example", SERVER), answer("a.example", SERVER)]).names[SERVER] == (
        "a.example",
        "b.example",
    )


def test_address_at_home_is_told_and_not_mapped() -> None:
    found = facts([question("tv.example")], [answer("tv.example", "192.168.1.9")])
    assert found.contacts["tv.example"].addresses == ("192.168.1.9",)
    assert found.names == {}
    assert found.addresses == ()


def test_chain_of_aliases_by_the_name_asked_for() -> None:
    told = [
        answer("app.example", "edge.example.net", "CNAME"),
        answer("app.example", "d1.cdn.example", "CNAME", name="edge.example.net"),
        answer("app.example", "old.cdn.example", "CNAME", name="edge.example.net", last_us=100),
        answer("app.example", SERVER, name="d1.cdn.example"),
    ]
    found = facts([question("app.example")], told)
    assert found.aliases == {"app.example": "d1.cdn.example"}  # the newest
    assert found.names == {SERVER: ("app.example",)}
    assert set(found.contacts) == {"app.example"}


def test_aliases_in_a_circle_end() -> None:
    told = [answer("a.example", "b.example", "CNAME"), answer("a.example", "a.example", "CNAME", name="b.example")]
    assert facts([question("a.example")], told).aliases.get("a.example") in (None, "b.example")


def test_hints_of_an_https_record_are_addresses() -> None:
    told = [answer("a.example", f'1 . alpn="h3" ipv4hint="{SERVER},rubbish" ipv6hint="2001:db8::1"', "HTTPS")]
    found = facts([question("a.example", "HTTPS")], told)
    assert found.contacts["a.example"].addresses == (SERVER, "2001:db8::1")
    assert set(found.names) == {SERVER, "2001:db8::1"}


def test_handshakes_count_where_nothing_was_asked() -> None:
    greetings = [
        said("tls.example", "tls", SERVER, 2, 10, 20),
        said("tls.example", "quic", SERVER, 1, 30, 40),
        said("asked.example", "tls", OTHER, 1, 10, 20),
        said("printer.example", "http", "192.168.1.9", 1, 10, 20),  # stays at home
        said(SERVER, "http", SERVER, 1, 10, 20),  # an address is no name
        said("web.example:8080", "http", SERVER, 1, 10, 20),
    ]
    found = facts([question("asked.example")], greetings=greetings)
    assert {name: contact.query_types for name, contact in found.contacts.items()} == {
        "asked.example": ("A",),
        "tls.example": ("QUIC", "TLS"),
        "web.example": ("HTTP",),
    }
    assert (found.contacts["tls.example"].count, found.contacts["tls.example"].last_us) == (3, 40)


def test_name_from_elsewhere_has_the_type_of_its_address() -> None:
    talks = [talk("six.example", "2001:db8::1", source="house"), talk("cert.example", source="certificate", times=4)]
    found = facts(talks=talks)
    assert found.contacts["six.example"].query_types == ("AAAA",)
    assert found.contacts["cert.example"].query_types == ("TLS",)
    assert found.contacts["cert.example"].count == 4


def test_conversation_from_outside_gives_the_caller_no_name() -> None:
    found = facts(talks=[talk("my-camera.example", DEVICE, client=OTHER)])
    assert found.names == {}
    assert found.contacts == {}
    assert [each.reason for each in found.unnamed] == ["called from outside"]


def test_sums() -> None:
    found = facts(
        [question("a.example")], [answer("a.example", SERVER)], talks=[talk("a.example"), talk(None, OTHER, octets=500)]
    )
    assert (found.addresses, found.contacted, found.bytes) == ((SERVER, OTHER), 2, 1500)
    assert [(each.address, each.bytes) for each in found.unnamed] == [(OTHER, 500)]


def test_names() -> None:
    assert is_name("a.example")
    assert is_name("a\\032b.example")
    for text in ("", ".", "1.1.168.192.in-addr.arpa", "8.b.ip6.arpa", "192.0.2.1", "2001:db8::1", "[2001:db8::1]"):
        assert not is_name(text), text
