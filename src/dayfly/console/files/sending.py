"""Bytes of an object as an answer: to be saved, or to be shown where they can do nothing."""

import os
from urllib.parse import quote

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from dayfly.console.files.places import Thing
from dayfly.console.files.previewing import PDF
from dayfly.files.opened import Opened

# A document of its own origin, which can run, load and send nothing.
NOTHING = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
# A browser's own viewer does not start in a sandbox; it runs apart from the page that frames it.
VIEWER = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"


class Sending(FileResponse):
    """Bytes that stay what they are until they are sent, whole or from where one asks on."""

    def __init__(self, opened: Opened, headers: dict[str, str], media_type: str) -> None:
        self._opened = opened
        told = {"ETag": f'"{opened.version.etag}"', "Cache-Control": "private, no-cache", **headers}
        super().__init__(
            opened.path,
            headers=told,
            media_type=media_type,
            stat_result=os.fstat(opened.descriptor),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._opened.close()


def saved(opened: Opened, thing: Thing) -> Sending:
    """Whatever it is, a browser saves it."""
    headers = {
        "Content-Disposition": _attachment(thing),
        "Content-Security-Policy": NOTHING,
    }
    return Sending(opened, headers, "application/octet-stream")


def shown(opened: Opened, thing: Thing, kind: str) -> Sending:
    """As a page embeds it. Who opens an image by itself saves it; SVG is never a document."""
    if kind == PDF:
        headers = {"Content-Disposition": "inline", "Content-Security-Policy": VIEWER}
    else:
        headers = {
            "Content-Disposition": _attachment(thing),
            "Content-Security-Policy": NOTHING,
        }
    return Sending(opened, headers, kind)


def _attachment(thing: Thing) -> str:
    return f"attachment; filename*=UTF-8''{quote(thing.file, safe='')}"
