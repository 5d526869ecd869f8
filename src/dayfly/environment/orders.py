"""What the API is told to do: release, roll back, stop, run a job, keep a secret."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from dayfly import typed
from dayfly.environment.applications import require
from dayfly.environment.environment import Environment
from dayfly.errors import UsageError
from dayfly.release import jobs, records, waiting

Order = Callable[[Environment, Request, bytes], dict[str, Any]]

SOMEBODY = "somebody"
T = TypeVar("T")


class ReleaseWish(msgspec.Struct, forbid_unknown_fields=True):
    app: str
    commit: str
    who: str = SOMEBODY
    queue: bool = False
    despite: str = ""
    window: str = ""
    now: bool = False
    question: bool = False  # only what it would do to the database


class RollbackWish(msgspec.Struct, forbid_unknown_fields=True):
    to: int | None = None
    who: str = SOMEBODY
    accept_loss: str = ""  # why what the database would lose is given up


class StopWish(msgspec.Struct, forbid_unknown_fields=True):
    who: str = SOMEBODY
    reason: str = ""


class RunWish(msgspec.Struct, forbid_unknown_fields=True):
    command: str
    release: int | None = None


def release(environment: Environment, _: Request, body: bytes) -> dict[str, Any]:
    wanted = read(body, ReleaseWish)
    parts = environment.parts
    if wanted.window:
        waiting.require_to_come(parts, wanted.window)
    commit = parts.sources.resolve(wanted.app, wanted.commit)
    order = records.Order(
        app=wanted.app,
        commit=commit,
        subject=parts.sources.describe(wanted.app, commit).subject,
        who=wanted.who,
        wish=records.Wish(despite=wanted.despite, window=wanted.window, now=wanted.now),
        question=wanted.question,
    )
    return {"release": environment.engine.release(order, queue=wanted.queue)}


def stop(environment: Environment, request: Request, body: bytes) -> dict[str, Any]:
    wanted = read(body, StopWish)
    number = request.path_params["number"]
    after = environment.parts.journal.last_event()
    environment.engine.stop(number, wanted.reason or f"{wanted.who} asked for it")
    return {"release": number, "after": after}


def roll_back(environment: Environment, request: Request, body: bytes) -> dict[str, Any]:
    wanted, app = read(body, RollbackWish), request.path_params["app"]
    require(environment.parts.journal, app)
    after = environment.parts.journal.last_event()
    to = environment.engine.roll_back(app, wanted.to, wanted.who, accept_loss=wanted.accept_loss)
    return {"release": to, "after": after}


def start_job(environment: Environment, request: Request, _: bytes) -> dict[str, Any]:
    parts, app = environment.parts, request.path_params["app"]
    number = parts.serving(app)
    if number is None:
        raise LookupError(f"no release of {app} serves")
    record = parts.journal.release(number)
    job = request.path_params["job"]
    return {"machine": jobs.start(parts, record, job, environment.occupied)}


def set_secret(environment: Environment, request: Request, body: bytes) -> dict[str, Any]:
    app, name = request.path_params["app"], request.path_params["name"]
    try:
        value = body.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: the value is not UTF-8 text") from error
    environment.parts.secrets.set(app, name, value)
    return {"app": app, "secret": name}


def remove_secret(environment: Environment, request: Request, _: bytes) -> dict[str, Any]:
    app, name = request.path_params["app"], request.path_params["name"]
    environment.parts.secrets.remove(app, name)
    return {"app": app, "secret": name}


def read(body: bytes, kind: type[T]) -> T:
    try:
        return typed.decode(body or b"{}", kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise UsageError(f"the request's body: {error}") from error
