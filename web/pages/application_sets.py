"""Which domains make an application: the sets that Homeport brings, edited, added and taken away."""

from __future__ import annotations

import sqlite3

from starlette.responses import Response

from daemon.store import applications
from daemon.store.words import BadWordError
from web.routing import Page
from web.visit import BY, Visit


def show(visit: Visit) -> Response:
    """All sets."""
    return _page(visit)


def save(visit: Visit) -> Response:
    """One set: as it stands in the form, taken away, or as Homeport brings it."""
    name, act = visit.form.get("name", "").strip(), visit.form.get("act", "save")
    domains = visit.form.get("domains", "").replace(",", " ").split()

    def write(db: sqlite3.Connection, now_us: int) -> None:
        if act == "restore":
            applications.restore(db, name)
        elif act == "remove":
            applications.set_application(db, name, (), BY, now_us)
        elif domains:
            applications.set_application(db, name, domains, BY, now_us)
        else:
            raise BadWordError("An application wants at least one domain; nothing was changed.")

    try:
        visit.keep(write)
    except BadWordError as error:
        return _page(visit, str(error), 400)
    return visit.go("/settings/applications?done=yes")


def _page(visit: Visit, complaint: str | None = None, status: int = 200) -> Response:
    said, there = applications.changed(visit.owner), applications.read_applications(visit.owner)
    return visit.page(
        "application_sets.html", status, complaint=complaint, sets=there, changed=said, brought=applications.BROUGHT,
        gone=sorted(set(applications.BROUGHT) - set(there), key=str.casefold), done=visit.query("done") is not None,
    )  # fmt: skip


PAGES = (
    Page("/settings/applications", show),
    Page("/settings/applications", save, "POST"),
)
