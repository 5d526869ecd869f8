"""Pages with a form, as a browser fills and sends them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from conference.browser import Answer, Browser

TOKEN = "csrfmiddlewaretoken"


@dataclass(frozen=True)
class Form:
    """What a page that was loaded gives to send with it."""

    path: str
    token: str
    cookies: str


def opened(browser: Browser, path: str, *, shows: str = TOKEN, cookies: str = "") -> Form:
    page = browser.get(path, shows=shows, cookies=cookies)
    found = re.search(rf'name="{TOKEN}" value="(\w+)"', page.text)
    own = f"pretalx_csrftoken={cookie(page, 'pretalx_csrftoken')}"
    return Form(path, found[1] if found else "", "; ".join(filter(None, (own, cookies))))


def sent(browser: Browser, form: Form, fields: Mapping[str, str]) -> Answer:
    """Accepted: a form that is shown again is a failure."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": form.cookies}
    return browser.post(form.path, urlencode({TOKEN: form.token, **fields}), headers, status=302)


def cookie(answer: Answer, name: str) -> str:
    cookies = SimpleCookie("; ".join(answer.headers.get_all("Set-Cookie", [])))
    return cookies[name].value
