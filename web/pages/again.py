"""Where the password is said once more; see web.security.again."""

from __future__ import annotations

from web.routing import Page
from web.security.again import confirm

PAGES = (Page("/again", confirm, "POST"),)
