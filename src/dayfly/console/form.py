"""What the forms of pages send."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

LONGEST_FORM = 100_000
Told = Mapping[str, str]


async def form(request: Request) -> Told:
    """What a form sent; nothing where it is longer than any of ours."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_FORM:
            return {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
