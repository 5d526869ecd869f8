"""An environment whose files are in a bucket of somebody else's S3: `[files] store = "s3://…"`."""

import http.client
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from dayfly.config.environment import Environment as Settings
from dayfly.config.home import Home
from dayfly.config.names import OPERATOR
from dayfly.config.secrets import SecretError, Secrets
from dayfly.durable import write_atomically
from dayfly.files import mount
from dayfly.files.errors import FilesError
from dayfly.files.mount import Mount
from dayfly.files.remote.elsewhere import Elsewhere, ElsewhereError

if TYPE_CHECKING:
    from dayfly.files.remote.remote import Remote

SCHEME = "s3://"
ANSWER_SECONDS = 1.5
UNASKED = Mount(exclusive=False, why="it was not asked yet, as `dayfly up` does")


def is_elsewhere(settings: Settings) -> bool:
    return settings.files.store.startswith(SCHEME)


def elsewhere_of(home: Home, settings: Settings) -> Elsewhere | None:
    """None where the files are in an archive of our own. SecretError where keys are missing."""
    if not is_elsewhere(settings):
        return None
    told = settings.files.s3
    names = (told.access_key_id, told.secret_access_key)
    keys = Secrets(home.secrets).wanted(OPERATOR, names)
    return Elsewhere(
        bucket=settings.files.store.removeprefix(SCHEME),
        endpoint=(told.endpoint or "").rstrip("/"),
        region=told.region,
        access_key_id=keys[told.access_key_id],
        secret_access_key=keys[told.secret_access_key],
    )


def opened(home: Home, elsewhere: Elsewhere) -> "Remote":
    from dayfly.files.remote.remote import Remote  # noqa: PLC0415 - only where it is asked

    return Remote(elsewhere, told(home))


def told(home: Home) -> Mount:
    """What `dayfly up` has found when it last asked."""
    return mount.told(home.files) if (home.files / mount.TOLD).exists() else UNASKED


def ask(home: Home, settings: Settings, say: Callable[[str], None]) -> None:
    """When the environment starts. It does so also without keys: the server is told them."""
    try:
        there = elsewhere_of(home, settings)
    except SecretError as error:
        say(f"note: {error.message}")
        say("note: machines get no files before it is set: " + ", ".join(error.hint.splitlines()))
        return
    if there:
        try:
            race(home, there)
        except FilesError as error:  # an outage there must not keep apps from starting here
            say(f"note: {error.message}; {error.hint}".rstrip("; "))


def race(home: Home, elsewhere: Elsewhere) -> Mount:
    """Whether we are let in, and what holds there; kept for those who write."""
    from dayfly.files.remote.racing import raced  # noqa: PLC0415 - when an environment starts

    remote = opened(home, elsewhere)
    remote.mount = mount.LOCAL  # what was found before does not hinder the question
    try:
        found = raced(remote)
    except ElsewhereError as error:
        raise ElsewhereError(
            error.message, hint="[files.s3] in environment.toml names the endpoint and the secrets."
        ) from error
    finally:
        remote.close()
    write_atomically(home.files / mount.TOLD, msgspec.json.encode(found))
    return found


def answers(elsewhere: Elsewhere) -> bool:
    """Whatever it says to who shows no key."""
    parts = urlsplit(elsewhere.url)
    connection = _connection(parts.scheme, parts.netloc)
    try:
        connection.request("GET", f"{parts.path}/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(netloc, timeout=ANSWER_SECONDS)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(netloc, timeout=ANSWER_SECONDS, context=context)
