"""The policy of a form that a browser posts: what may be in it, until when, signed by whom."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from dayfly import typed
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.signature import ALGORITHM, OLD_ALGORITHM, signing_key

_FREE = frozenset(
    ("awsaccesskeyid", "signature", "file", "policy", "x-amz-signature", "x-amz-trailer")
)
_FREE_PREFIXES = ("x-ignore-", "x-amz-checksum-")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of the file's size, by the policy."""

    least: int = 0
    most: int | None = None

    def check(self, size: int, *, whole: bool) -> None:
        if self.most is not None and size > self.most:
            raise S3Error("EntityTooLarge", ProposedSize=str(size), MaxSizeAllowed=str(self.most))
        if whole and size < self.least:
            raise S3Error("EntityTooSmall", ProposedSize=str(size), MinSizeAllowed=str(self.least))


def key_id_of(fields: Mapping[str, str]) -> str | None:
    """Whose signature it has; None is anonymous. Names of fields are lower case."""
    if "policy" not in fields:
        return None
    if fields.get("x-amz-algorithm") == ALGORITHM:
        return fields.get("x-amz-credential", "").partition("/")[0]
    if "awsaccesskeyid" not in fields or "signature" not in fields:
        raise S3Error("InvalidArgument", "The form has a policy, but no signature for it.")
    return fields["awsaccesskeyid"]


def version_of(fields: Mapping[str, str]) -> str:
    """Of its signature, as policies call it."""
    return ALGORITHM if fields.get("x-amz-algorithm") == ALGORITHM else OLD_ALGORITHM


def verify(fields: Mapping[str, str], secret: str) -> None:
    policy = fields["policy"].encode()
    if fields.get("x-amz-algorithm") == ALGORITHM:
        wanted, shown = _version_4(fields, policy, secret), fields.get("x-amz-signature", "")
    else:
        digest = hmac.digest(secret.encode(), policy, "sha1")  # as forms of old are signed
        wanted, shown = base64.b64encode(digest).decode(), fields["signature"]
    if not hmac.compare_digest(wanted.encode(), shown.encode()):
        raise S3Error("SignatureDoesNotMatch")


def _version_4(fields: Mapping[str, str], policy: bytes, secret: str) -> str:
    parts = fields.get("x-amz-credential", "").split("/")
    if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"]:  # noqa: PLR2004 - parts of a scope
        raise S3Error("AuthorizationQueryParametersError", "x-amz-credential is malformed.")
    return hmac.new(signing_key(secret, parts[1], parts[2]), policy, hashlib.sha256).hexdigest()


def check(fields: Mapping[str, str], now: float) -> Limits:
    """S3Error where the form is not what the policy allows. `fields` has the bucket too."""
    document = _document(fields["policy"])
    if now > _expiration(document):
        raise S3Error("AccessDenied", "Invalid according to Policy: Policy expired.")
    conditions = document.get("conditions")
    if not isinstance(conditions, list):
        raise S3Error("InvalidPolicyDocument", "Invalid Policy: there is no list of conditions.")
    limits, seen = Limits(), set[str]()
    for condition in conditions:
        if isinstance(condition, list) and condition[:1] == ["content-length-range"]:
            limits = _limits(condition)
        else:
            seen |= _checked(condition, fields)
    _check_all_told(fields, seen)
    return limits


def _document(encoded: str) -> dict[str, object]:
    try:
        return typed.decode(base64.b64decode(encoded, validate=True), dict[str, object])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise S3Error("InvalidPolicyDocument", "Invalid Policy: it is no JSON.") from error


def _expiration(document: Mapping[str, object]) -> float:
    told = document.get("expiration")
    text = told if isinstance(told, str) and "T" in told else ""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise S3Error(
            "InvalidPolicyDocument", "Invalid Policy: its expiration is no time."
        ) from error
    if found.tzinfo is None:
        raise S3Error("InvalidPolicyDocument", "Invalid Policy: its expiration has no zone.")
    return found.astimezone(UTC).timestamp()


def _limits(condition: list[object]) -> Limits:
    numbers = [_whole(each) for each in condition[1:]]
    if len(numbers) != 2:  # noqa: PLR2004 - least and most
        raise S3Error(
            "InvalidPolicyDocument", "Invalid Policy: content-length-range has two numbers."
        )
    return Limits(least=numbers[0], most=numbers[1])


def _whole(told: object) -> int:
    text = str(told)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):  # noqa: PLR2004 - digits
        raise S3Error("InvalidPolicyDocument", f"Invalid Policy: {text[:40]!r} is no size.")
    return int(text)


def _checked(condition: object, fields: Mapping[str, str]) -> set[str]:
    if isinstance(condition, dict) and condition:
        lines = [("eq", f"${name}", value) for name, value in condition.items()]
    elif isinstance(condition, list) and len(condition) == 3:  # noqa: PLR2004 - operator, field, value
        lines = [(condition[0], condition[1], condition[2])]
    else:
        raise S3Error("InvalidPolicyDocument", "Invalid Policy: Invalid Simple-Condition.")
    return {_met(str(operator), str(name), str(value), fields) for operator, name, value in lines}


def _met(operator: str, name: str, value: str, fields: Mapping[str, str]) -> str:
    if not name.startswith("$") or operator.lower() not in ("eq", "starts-with"):
        raise S3Error(
            "InvalidPolicyDocument", f"Invalid Policy: unknown condition {operator[:40]!r}."
        )
    field = name[1:].lower()
    found = fields.get(field)
    held = found is not None and (
        found == value if operator.lower() == "eq" else _begins(field, found, value)
    )
    if not held:
        raise S3Error(
            "AccessDenied", f"Invalid according to Policy: Policy Condition failed: {name[:80]}"
        )
    return field


def _begins(field: str, found: str, value: str) -> bool:
    if field == "content-type":
        return all(each.strip().startswith(value) for each in found.split(","))
    return found.startswith(value)


def _check_all_told(fields: Mapping[str, str], seen: set[str]) -> None:
    extra = [
        name
        for name in fields
        if name not in seen and name not in _FREE and not name.startswith(_FREE_PREFIXES)
    ]
    if extra:
        raise S3Error(
            "AccessDenied", f"Invalid according to Policy: Extra input fields: {extra[0][:80]}"
        )
