"""The border to whoever is told: a webhook, or a command of the operator's."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, run
from dayfly.config.inherited import inherited_for_builds
from dayfly.errors import DayflyError

WEBHOOK_SECONDS, COMMAND_SECONDS = 10.0, 60.0
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SHOWN = 200  # characters of an answer in a message


class UntoldError(DayflyError):
    """Who was to be told did not take it; no message holds a secret or a whole address."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    url: str
    token: str = ""  # shown as Bearer


def post(webhook: Webhook, value: Mapping[str, object]) -> None:
    """One POST with JSON; whoever takes it answers with 2xx.

    Through the proxy, and with the certificates, that environment variables name, as curl does it.
    """
    parts = urlsplit(webhook.url)
    place = f"{parts.scheme}://{parts.hostname}"  # what follows is often as good as a password
    headers = {"Content-Type": "application/json", "User-Agent": "dayfly"}
    if webhook.token:
        headers["Authorization"] = f"Bearer {webhook.token}"
    try:
        asked = Request(webhook.url, json.dumps(value).encode(), headers, method="POST")  # noqa: S310 - the settings allow http and https only
        opener = build_opener(_Nowhere, HTTPSHandler(context=_trusted()))
        opener.open(asked, timeout=WEBHOOK_SECONDS).close()
    except HTTPError as error:
        with error:
            said = error.read(SHOWN).decode(errors="replace").strip()
        raise UntoldError(f"{place} answers {error.code}: {said}".removesuffix(": ")) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        says = str(reason) or type(reason).__name__
        raise UntoldError(f"{place} does not answer: {says}") from error


class _Nowhere(HTTPRedirectHandler):
    """The message, and its token, are for the address that was told."""

    def redirect_request(self, *_: object) -> None:
        return None


def _trusted() -> ssl.SSLContext:
    """What OpenSSL trusts, which SSL_CERT_FILE may name, and what other variables name besides."""
    context = ssl.create_default_context()
    inherited = inherited_for_builds()
    for name in CERTIFICATES:
        if path := inherited.get(name):
            context.load_verify_locations(path)
    return context


def command(text: str, told: Mapping[str, str], stop: Stop) -> None:
    """By the shell, with what is told in variables; exit status 0 has taken it."""
    setting = Setting(env={**inherited_for_builds(), **told})
    try:
        run(["/bin/sh", "-c", text], setting=setting, stop=stop, seconds=COMMAND_SECONDS)
    except CommandError as error:
        how = error.message.rpartition(": ")[2]  # the command itself may hold a secret
        last = error.tail.splitlines()[-1:]
        raise UntoldError(": ".join([f"the command: {how}", *last])) from error
