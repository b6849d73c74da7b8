"""One file a page, or a group of pages that share their address; each has its table PAGES."""

from web.pages import (
    again,
    application_sets,
    captures,
    device,
    device_words,
    devices,
    login,
    metrics,
    overview,
    reports,
    settings,
    setup,
    tokens,
)
from web.routing import Page

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *devices.PAGES,
    *device.PAGES,
    *device_words.PAGES,
    *captures.PAGES,
    *reports.PAGES,
    *login.PAGES,
    *setup.PAGES,
    *settings.PAGES,
    *tokens.PAGES,
    *application_sets.PAGES,
    *again.PAGES,
    *metrics.PAGES,
)
