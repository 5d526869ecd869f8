"""Tokens of those who send records from elsewhere."""

import re
from typing import Any

import msgspec
from starlette.requests import Request

from dayfly.environment.environment import Environment
from dayfly.environment.orders import read
from dayfly.errors import UsageError
from dayfly.logs.tokens import Scope, Tokens
from dayfly.release.receipt import iso

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class TokenWish(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    scope: Scope


def listed(environment: Environment, _: Request) -> list[Any]:
    return [
        {"name": each.name, "scope": each.scope, "created": iso(each.created)}
        for each in _of(environment).all()
    ]


def create(environment: Environment, _: Request, body: bytes) -> dict[str, Any]:
    wanted = read(body, TokenWish)
    if not _NAME.fullmatch(wanted.name):
        says = "allowed are letters, digits, ., _ and -, 63 at most"
        raise UsageError(f"the name of a token: found {wanted.name!r}, {says}")
    return {"name": wanted.name, "token": _of(environment).create(wanted.name, wanted.scope)}


def revoke(environment: Environment, request: Request, _: bytes) -> dict[str, Any]:
    name = request.path_params["name"]
    _of(environment).revoke(name)
    return {"name": name}


def _of(environment: Environment) -> Tokens:
    return Tokens(environment.parts.home.logs)
