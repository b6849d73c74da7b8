"""`/api/v1`: what the pages show, for programs."""

from __future__ import annotations

from fastapi import FastAPI

from web.api import v1
from web.security.gate import Admit


def mount_api(app: FastAPI, admit: Admit) -> None:
    """Add the API's routes. Whoever may read pages may read these; programs come with a token."""
    app.include_router(v1.routes(admit))
