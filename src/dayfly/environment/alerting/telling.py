"""The border to whoever is told: a webhook, or a command of the operator's."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, run
from dayfly.config.inherited import inherited_for_builds
from dayfly.errors import DayflyError

WEBHOOK_SECONDS, COMMAND_SECONDS = 10.0, 60.0
TAKEN = range(200, 300)
SHOWN = 200  # characters of an answer in a message


class UntoldError(DayflyError):
    """Who was to be told did not take it; no message holds a secret or a whole address."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    url: str
    token: str = ""  # shown as Bearer


def post(webhook: Webhook, value: Mapping[str, object]) -> None:
    """One POST with JSON; whoever takes it answers with 2xx."""
    parts = urlsplit(webhook.url)
    place = f"{parts.scheme}://{parts.hostname}"  # what follows is often as good as a password
    headers = {"Content-Type": "application/json", "User-Agent": "dayfly"}
    if webhook.token:
        headers["Authorization"] = f"Bearer {webhook.token}"
    path = parts.path or "/"
    try:
        connection = _connection(parts.scheme, parts.netloc)
        try:
            target = f"{path}?{parts.query}" if parts.query else path
            connection.request("POST", target, json.dumps(value).encode(), headers)
            answer = connection.getresponse()
            said = answer.read(SHOWN).decode(errors="replace").strip()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        says = str(error) or type(error).__name__
        raise UntoldError(f"{place} does not answer: {says}") from error
    if answer.status not in TAKEN:
        raise UntoldError(f"{place} answers {answer.status}: {said}".removesuffix(": "))


def command(text: str, told: Mapping[str, str], stop: Stop) -> None:
    """By the shell, with what is told in variables; exit status 0 has taken it."""
    setting = Setting(env={**inherited_for_builds(), **told})
    try:
        run(["/bin/sh", "-c", text], setting=setting, stop=stop, seconds=COMMAND_SECONDS)
    except CommandError as error:
        how = f"exit status {error.status}" if error.status is not None else "no end within 60 s"
        last = error.tail.splitlines()[-1:]
        raise UntoldError(": ".join([f"the command: {how}", *last])) from error


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(
            netloc, timeout=WEBHOOK_SECONDS, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(netloc, timeout=WEBHOOK_SECONDS)
