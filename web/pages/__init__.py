"""One file a page, or a group of pages that share their address; each has its table PAGES."""

from web.pages import login, overview, reports, setup
from web.routing import Page

PAGES: tuple[Page, ...] = (*overview.PAGES, *reports.PAGES, *login.PAGES, *setup.PAGES)
