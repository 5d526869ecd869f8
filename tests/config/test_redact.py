import html
import json
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.config.redact import MASK, Redactor

URL = "postgresql://orders:s3cr%2Ft-pw@db/orders"
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n  kqhkiG9w0B\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("values", "text", "shown"),
    [
        (["hunter22"], "login hunter22 ok", f"login {MASK} ok"),
        (["hunter22"], "nothing here", "nothing here"),
        ([], "nothing to hide", "nothing to hide"),
        (["abc"], "abc is too short", "abc is too short"),
        (["a b&c=/"], "q=a+b%26c%3D%2F", f"q={MASK}"),
        (["a b&c=/"], "q=a%20b%26c%3d%2f", f"q={MASK}"),
        (['say "hi"\\'], r'{"x": "say \"hi\"\\"}', f'{{"x": "{MASK}"}}'),
        (["Grüße!"], '{"x": "Gr\\u00fc\\u00dfe!"}', f'{{"x": "{MASK}"}}'),
        ([KEY], "line kqhkiG9w0B of it", f"line {MASK} of it"),
        ([KEY], KEY, MASK),
        ([URL], f"connect {URL}", f"connect {MASK}"),
        ([URL], "password s3cr/t-pw", f"password {MASK}"),
        (["postgresql://orders:orders@db/x"], "orders 2 serves", "orders 2 serves"),
        (["secret", "secretlonger"], "secretlonger", MASK),
        (["abcde", "defgh"], "x abcdefgh y", f"x {MASK} y"),
        (["abcd", "efgh"], "abcdefgh abcd", f"{MASK} {MASK}"),
    ],
)
def test_what_is_shown(values: list[str], text: str, shown: str) -> None:
    assert Redactor.of(values)(text) == shown


WAYS: dict[str, Callable[[str], str]] = {
    "repr": repr,
    "ascii": ascii,
    "in a dictionary": lambda text: repr({"key": text}),
    "in a text with quotes": lambda text: repr(f'"{text}'),
    "bytes": lambda text: repr(text.encode()),
    "bytes with quotes": lambda text: repr(f'"{text}'.encode()),
    "HTML": html.escape,
    "Jinja": lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"key": text})),
    "base64": lambda text: b64encode(text.encode()).decode(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "secret", ["pa\"ss'wo\\rd<&>é", "it's a line", 'say "x" & <y>', "hunter22", "C:\\new"]
)
def test_a_secret_is_found_however_it_is_written(way: str, secret: str) -> None:
    said, hide = WAYS[way](secret), Redactor.of([secret])

    assert hide.is_in(said.encode())
    assert hide(said).strip("b\"'\\{}: key=") == MASK


SECRET = some.text(min_size=4, max_size=30).filter(lambda text: "•" not in text)
FORMS = [
    str,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: ascii(text)[1:-1],
    lambda text: repr(text.encode(errors="replace"))[2:-1],
    html.escape,
    lambda text: html.escape(text, quote=False),
]


@given(some.lists(SECRET, min_size=1, max_size=5), some.data())
def test_no_secret_survives(secrets: list[str], data: some.DataObject) -> None:
    """However secrets are written and put together, none of them is in what is shown."""
    form = data.draw(some.sampled_from(FORMS))
    pieces = data.draw(some.lists(some.sampled_from(secrets) | some.text(max_size=5), max_size=8))

    text = "".join(form(piece) for piece in pieces)
    shown = Redactor.of(secrets)(text)

    assert Redactor.of(secrets).is_in(text.encode(errors="replace")) == (shown != text)
    for secret in secrets:
        assert form(secret) not in shown
        assert secret not in shown
