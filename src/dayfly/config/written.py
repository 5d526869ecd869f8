"""How programs write a text into something else: in a URL, JSON, Python, HTML, base64."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_QUOTES = "\"'"  # a text with both makes Python escape the second


def written(plain: str) -> Iterator[str]:
    """Itself first; some forms come twice, or are equal to it.

    In base64 only what stands alone there: each form more is looked for in every line.
    """
    yield plain
    raw = plain.encode(errors="replace")
    yield from _in_url(plain)
    yield from _in_json(plain)
    yield from _in_python(plain, raw)
    yield from _in_html(plain)
    yield b64encode(raw).decode().rstrip("=")


def _in_url(plain: str) -> Iterator[str]:
    for encoded in (quote(plain), quote(plain, safe=""), quote_plus(plain)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), encoded)


def _in_json(plain: str) -> Iterator[str]:
    """Also where the JSON is a text in JSON, as in the message of a logger."""
    for ascii_only in (True, False):
        once = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once)[1:-1]


def _in_python(plain: str, raw: bytes) -> Iterator[str]:
    """`repr` of texts and bytes, alone and within a text that has quotes."""
    for shown in (repr, ascii):
        yield shown(plain)[1:-1]
        yield shown(_QUOTES + plain)[1:-1].removeprefix("\"\\'")
    yield repr(raw)[2:-1]
    yield repr(_QUOTES.encode() + raw)[2:-1].removeprefix("\"\\'")


def _in_html(plain: str) -> Iterator[str]:
    without_quotes = html.escape(plain, quote=False)
    yield without_quotes
    yield html.escape(plain)
    yield without_quotes.replace('"', "&#34;").replace("'", "&#39;")  # as Jinja does it
    yield without_quotes.replace('"', "&quot;").replace("'", "&#39;")
