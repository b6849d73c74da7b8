"""One file a page, or a group of pages that share their address; each has its table PAGES."""

from web.pages import (
    again,
    applications,
    application_sets,
    captures,
    destinations,
    device,
    device_words,
    devices,
    findings,
    login,
    metrics,
    network,
    overview,
    reports,
    search,
    settings,
    setup,
    tokens,
)
from web.routing import Page

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *network.PAGES,
    *applications.PAGES,
    *destinations.PAGES,
    *devices.PAGES,
    *device.PAGES,
    *device_words.PAGES,
    *findings.PAGES,
    *captures.PAGES,
    *reports.PAGES,
    *search.PAGES,
    *login.PAGES,
    *setup.PAGES,
    *settings.PAGES,
    *tokens.PAGES,
    *application_sets.PAGES,
    *again.PAGES,
    *metrics.PAGES,
)
