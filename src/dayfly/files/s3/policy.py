"""Bucket policies: read strictly, so that what can't be evaluated is refused when it is put."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import msgspec

from dayfly import typed
from dayfly.files.s3.actions import is_known
from dayfly.files.s3.operators import fault, holds
from dayfly.files.s3.problem import S3Error

MOST_BYTES = 20 * 1024
Texts = str | list[str]
Values = str | bool | int | list[str | bool | int]
Verdict = Literal["allow", "deny", ""]
_PREFIX = "arn:aws:s3:::"
_PRINCIPALS = ("AWS", "CanonicalUser", "Federated", "Service")  # nobody here is of the last two
# Keys that narrow a statement to somebody or some place, so that it is not for all the world.
_NARROWING = frozenset(
    ("aws:sourceip", "aws:sourcearn", "aws:sourceaccount", "aws:userid", "aws:username")
)
KEYS = frozenset(
    (
        "aws:currenttime", "aws:epochtime", "aws:referer", "aws:securetransport", "aws:sourceip",
        "aws:useragent", "aws:userid", "aws:username", "s3:authtype", "s3:delimiter",
        "s3:if-match", "s3:if-none-match", "s3:locationconstraint", "s3:max-keys",
        "s3:object-lock-legal-hold", "s3:object-lock-mode",
        "s3:object-lock-retain-until-date", "s3:objectcreationoperation", "s3:prefix",
        "s3:requestobjecttagkeys", "s3:signatureversion", "s3:versionid", "s3:x-amz-acl",
        "s3:x-amz-content-sha256", "s3:x-amz-copy-source", "s3:x-amz-grant-full-control",
        "s3:x-amz-grant-read", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write",
        "s3:x-amz-grant-write-acp", "s3:x-amz-metadata-directive",
        "s3:x-amz-object-ownership", "s3:x-amz-server-side-encryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-storage-class",
    )
)  # fmt: skip
_TAG_KEYS = ("s3:existingobjecttag/", "s3:requestobjecttag/")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants; `values` are what conditions may be about, by lower-case key."""

    action: str
    resource: str  # BUCKET or BUCKET/KEY
    account: str | None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class _Statement(msgspec.Struct, forbid_unknown_fields=True, rename="pascal", kw_only=True):
    effect: Literal["Allow", "Deny"]
    sid: str = ""
    principal: str | dict[str, Texts] | None = None
    not_principal: str | dict[str, Texts] | None = None
    action: Texts | None = None
    not_action: Texts | None = None
    resource: Texts | None = None
    not_resource: Texts | None = None
    condition: dict[str, dict[str, Values]] = {}


class _Document(msgspec.Struct, forbid_unknown_fields=True, rename="pascal", kw_only=True):
    statement: list[_Statement] | _Statement
    version: str = ""
    id: str = ""


@dataclass(frozen=True)
class Policy:
    statements: tuple[_Statement, ...]

    def decides(self, asked: Asked) -> Verdict:
        """A statement that denies outweighs all that allow."""
        effects = {each.effect for each in self.statements if _applies(each, asked)}
        return "deny" if "Deny" in effects else "allow" if effects else ""

    @property
    def is_public(self) -> bool:
        return any(each.effect == "Allow" and _for_all(each) for each in self.statements)


def policy_of(body: bytes, bucket: str) -> Policy:
    """MalformedPolicy says what is wrong with it."""
    if len(body) > MOST_BYTES:
        raise _malformed(f"It has more than {MOST_BYTES} bytes.")
    policy = parsed(body)
    _check_document(body)
    for each in policy.statements:
        _check(each, bucket)
    return policy


@lru_cache(maxsize=256)
def parsed(body: bytes) -> Policy:
    try:
        document = typed.decode(body, _Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(str(error)) from error
    told = document.statement
    return Policy(tuple(told if isinstance(told, list) else [told]))


def _check_document(body: bytes) -> None:
    """What would be passed over, or be taken as it stands."""
    told = json.loads(body, object_pairs_hook=_once)
    if "${" in json.dumps(told):
        raise _malformed("Variables, as ${aws:username}, are not implemented.")


def _once(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    for name, _ in members if len(found) < len(members) else ():
        if [each for each, _ in members].count(name) > 1:
            raise _malformed(f"It has {name[:80]!r} twice in one place.")
    return found


def _check(told: _Statement, bucket: str) -> None:
    _check_either(told)
    _check_principal(told.principal if told.principal is not None else told.not_principal)
    if told.not_principal is not None and told.effect == "Allow":
        raise _malformed("Allow with NotPrincipal would be for all the world.")
    for action in _list(told.action or told.not_action or []):
        if not is_known(action, _like):
            raise _malformed(f"Policy has invalid action {action[:80]!r}.")
    for resource in _list(told.resource or told.not_resource or []):
        name = resource.removeprefix(_PREFIX).partition("/")[0]
        if not (resource.startswith(_PREFIX) and _like(name, bucket)):
            raise _malformed(f"Policy has invalid resource {resource[:80]!r}.")
    for operator, keys in told.condition.items():
        _check_condition(operator, keys)


def _check_either(told: _Statement) -> None:
    for one, other, name in (
        (told.principal, told.not_principal, "Principal"),
        (told.action, told.not_action, "Action"),
        (told.resource, told.not_resource, "Resource"),
    ):
        if (one is None) == (other is None):
            raise _malformed(f"A statement needs either {name} or Not{name}.")


def _check_principal(told: str | dict[str, Texts] | None) -> None:
    wrong = [told] if isinstance(told, str) and told != "*" else []
    if isinstance(told, dict):
        wrong = [each for each in told if each not in _PRINCIPALS]
    if wrong:
        raise _malformed(f"Invalid principal in policy: {wrong[0][:80]!r}.")


def _check_condition(operator: str, keys: Mapping[str, Values]) -> None:
    told = [each for values in keys.values() for each in _values(values)]
    if wrong := fault(operator, told):
        raise _malformed(wrong)
    for key in keys:
        small = key.lower()
        if small not in KEYS and not small.startswith(_TAG_KEYS):
            raise _malformed(f"The condition key {key[:80]!r} is not known.")


def _applies(told: _Statement, asked: Asked) -> bool:
    return (
        _meets_principal(told, asked.account)
        and _meets(told.action, told.not_action, asked.action.lower(), lower=True)
        and _meets(told.resource, told.not_resource, _PREFIX + asked.resource)
        and all(
            holds(operator, _key(key), _values(values), asked.values)
            for operator, keys in told.condition.items()
            for key, values in keys.items()
        )
    )


def _key(key: str) -> str:
    """The name of a tag keeps its case."""
    small = key.lower()
    for prefix in _TAG_KEYS:
        if small.startswith(prefix):
            return prefix + key[len(prefix) :]
    return small


def _meets(wanted: Texts | None, unwanted: Texts | None, text: str, *, lower: bool = False) -> bool:
    told = wanted if wanted is not None else unwanted or []
    found = any(_like(each.lower() if lower else each, text) for each in _list(told))
    return found == (wanted is not None)


def _meets_principal(told: _Statement, account: str | None) -> bool:
    if told.principal is not None:
        return _names(told.principal, account)
    return told.not_principal is not None and not _names(told.not_principal, account)


def _names(principal: str | dict[str, Texts], account: str | None) -> bool:
    if isinstance(principal, str):
        return principal == "*"
    names = [name for kind in ("AWS", "CanonicalUser") for name in _list(principal.get(kind, []))]
    return any(name == "*" or (account is not None and _is(name, account)) for name in names)


def _is(name: str, account: str) -> bool:
    """By the id itself, as the account of an ARN, or as its user."""
    parts = name.split(":", 5)
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "iam"]:  # noqa: PLR2004 - parts of an ARN
        return name == account
    return parts[5] == f"user/{account}" or (parts[4] == account and parts[5] == "root")


def _for_all(told: _Statement) -> bool:
    names = told.principal
    everyone = names == "*" or (isinstance(names, dict) and "*" in _list(names.get("AWS", [])))
    return everyone and not any(
        key.lower() in _NARROWING for keys in told.condition.values() for key in keys
    )


def _values(told: Values) -> tuple[str, ...]:
    many = told if isinstance(told, list) else [told]
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in many)


def _list(told: Texts) -> list[str]:
    return told if isinstance(told, list) else [told]


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    parts = (re.escape(each) if each not in "*?" else {"*": ".*", "?": "."}[each] for each in text)
    return re.compile("".join(parts), re.DOTALL)


def _like(pattern: str, text: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    return _pattern(re.sub(r"\*+", "*", pattern)).fullmatch(text) is not None


def _malformed(why: str) -> S3Error:
    return S3Error("MalformedPolicy", f"The policy is not as it must be. {why}")
