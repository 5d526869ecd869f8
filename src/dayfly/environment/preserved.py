"""What the API tells of preserved data, and how some of it is put back."""

from typing import Any

import msgspec
from starlette.requests import Request

from dayfly.environment.applications import require
from dayfly.environment.environment import Environment
from dayfly.environment.orders import SOMEBODY, read
from dayfly.release import dropping, exported, preserving
from dayfly.release.engine import BusyError


class RestoreWish(msgspec.Struct, forbid_unknown_fields=True):
    table: str = ""  # all of them
    accept_loss: str = ""  # why what was written since may be overwritten
    who: str = SOMEBODY


class DropWish(msgspec.Struct, forbid_unknown_fields=True):
    reason: str
    accept_loss: str = ""  # why it may go although a rollback may need it
    who: str = SOMEBODY


def everything(environment: Environment, request: Request) -> list[Any]:
    app = request.query_params.get("app")
    if app is not None:
        require(environment.parts.journal, app)
    return [exported.row(one) for one in exported.preserved(environment.parts, app)]


def one_of_them(environment: Environment, request: Request) -> dict[str, Any]:
    return exported.whole(
        environment.parts, exported.named(environment.parts, request.path_params["name"])
    )


def restore(environment: Environment, request: Request, body: bytes) -> dict[str, Any]:
    wanted = read(body, RestoreWish)
    one = exported.named(environment.parts, request.path_params["name"])
    return preserving.put_back(
        environment.parts, one, table=wanted.table, accept=wanted.accept_loss
    )


def drop(environment: Environment, request: Request, body: bytes) -> dict[str, Any]:
    wanted = read(body, DropWish)
    parts = environment.parts
    one = exported.named(parts, request.path_params["name"])
    with environment.engine.lines.of(one.app) as line:
        if line:
            raise BusyError(
                f"{line[0].what} of {one.app} is under way, and may preserve or bring back",
                hint="Try again when it is over.",
            )
        dropping.allow(parts, one, accept=wanted.accept_loss)
        dropping.mark(parts, one, why=wanted.reason, who=wanted.who, accept=wanted.accept_loss)
    dropping.let_go(parts, one)
    return {"preserved": one.name}
