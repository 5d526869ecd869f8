"""What the API tells of preserved data, and how some of it is put back."""

from typing import Any

import msgspec
from starlette.requests import Request

from dayfly.environment.applications import require
from dayfly.environment.environment import Environment
from dayfly.environment.orders import SOMEBODY, read
from dayfly.release import exported, preserving


class RestoreWish(msgspec.Struct, forbid_unknown_fields=True):
    table: str = ""  # all of them
    accept_loss: str = ""  # why what was written since may be overwritten
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
