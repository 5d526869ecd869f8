"""Leases beside S3's own operations: `?lease` of an object, `?leases` of a bucket."""

import re
import secrets
from typing import Any

import msgspec

from dayfly.files.errors import LeasedError
from dayfly.files.objects import Lease
from dayfly.files.s3 import rights
from dayfly.files.s3.answer import Answer
from dayfly.files.s3.problem import S3Error, invalid
from dayfly.files.s3.request import Request, number_of
from dayfly.files.s3.xmlwrite import iso

USUAL_SECONDS, MOST_SECONDS = 60, 24 * 60 * 60
LONGEST_OWNER = 200
_TOKEN = re.compile(r"\d{1,18}", re.ASCII)


def take(request: Request, _: bytes) -> Answer:
    """A new one, or the one that has the token prolonged."""
    bucket, key = request.bucket(), request.address.key
    who = request.account().id  # nobody in particular could not be told from others
    rights.check(request, bucket, "s3:PutObject", key=key)
    seconds, leases = _seconds(request), request.repository.leases
    try:
        if "token" in request.parameters:
            held = leases.prolong(_own(request, who), seconds)
        else:
            held = leases.take(bucket.name, key, owner=_owner(request, who), seconds=seconds)
    except LeasedError as error:
        raise _refused(error) from error
    return _json(_told(held))


def look(request: Request, _: bytes) -> Answer:
    bucket, key = request.bucket(), request.address.key
    rights.check(request, bucket, "s3:PutObject", key=key)
    held = request.repository.leases.newest(bucket.name, key)
    if held is None or held.until <= request.now:
        raise S3Error("NoSuchLease")
    return _json(_told(held))


def release(request: Request, _: bytes) -> Answer:
    """By an account that has it, or whose bucket it is: nobody is shut out of what is his."""
    bucket, key = request.bucket(), request.address.key
    who, owns = request.account().id, request.caller.operator
    rights.check(request, bucket, "s3:PutObject", key=key)
    try:
        request.repository.leases.release(_own(request, who, any_=owns or who == bucket.owner))
    except LeasedError as error:
        raise _refused(error) from error
    return Answer(status=204)


def listed(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    rights.check(request, bucket, "s3:ListBucket")
    running = request.repository.leases.running(bucket.name)
    return _json({"leases": [_told(each) for each in running]})


def _own(request: Request, who: str, *, any_: bool = False) -> Lease:
    """The one whose token is shown, by an account that has taken it."""
    text = request.parameters.get("token", "")
    if not _TOKEN.fullmatch(text):
        raise invalid("token", text, "the number that came with the lease")
    address = request.address
    held = request.repository.leases.newest(address.bucket, address.key)
    if held is None or held.token != int(text):
        raise S3Error("OperationAborted", f"Token {text} is not the newest one.")
    if not any_ and held.owner.partition("/")[0] != who:
        raise S3Error("AccessDenied")
    return held


def _owner(request: Request, who: str) -> str:
    """Two accounts never are one owner, whatever they call themselves, nor two that say nothing."""
    name = request.parameters.get("owner", "")
    if len(name) > LONGEST_OWNER or not name.isprintable():
        raise invalid("owner", name, f"a name of {LONGEST_OWNER} characters at most")
    return f"{who}/{name or f'{request.caller.sender}#{secrets.token_hex(8)}'}"


def _seconds(request: Request) -> float:
    return number_of(request.parameters, "seconds", USUAL_SECONDS, least=1, most=MOST_SECONDS)


def _refused(error: LeasedError) -> S3Error:
    return S3Error("OperationAborted", error.message, Owner=error.owner)


def _told(held: Lease) -> dict[str, Any]:
    return {
        "bucket": held.bucket,
        "key": held.key,
        "owner": held.owner,
        "until": iso(held.until),
        "token": held.token,
    }


def _json(value: object) -> Answer:
    headers = [("content-type", "application/json"), ("cache-control", "no-store")]
    return Answer(headers=headers, body=msgspec.json.encode(value))
