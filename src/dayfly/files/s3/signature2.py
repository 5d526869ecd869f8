"""AWS's older signature, version 2, with which boto3 still presigns URLs unless told otherwise.

It covers neither body nor host, so what was signed in this way is as good as over TLS only.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from dayfly.files.s3.call import Call
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.signature import SKEW_SECONDS

_SIGNED = frozenset(
    (
        "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory",
        "lifecycle", "location", "logging", "metrics", "notification", "object-lock",
        "partNumber", "policy", "replication", "requestPayment", "response-cache-control",
        "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore",
        "select", "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads",
        "versionId", "versioning", "versions", "website",
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OldClaim:
    """`expires`, in seconds since the epoch, where it is a presigned URL."""

    key_id: str
    signature: str
    expires: str = ""


def old_claim_of(call: Call) -> OldClaim | None:
    authorization = call.header("authorization")
    if authorization.startswith("AWS "):
        key_id, _, signature = authorization[4:].strip().rpartition(":")
        return OldClaim(key_id=key_id, signature=signature)
    told = call.parameters
    if told and {"AWSAccessKeyId", "Signature", "Expires"} <= told.keys() and not authorization:
        return OldClaim(
            key_id=told["AWSAccessKeyId"], signature=told["Signature"], expires=told["Expires"]
        )
    return None


def verify_old(claim: OldClaim, call: Call, secret: str, now: float, bucket: str) -> None:
    """`bucket` is the one that the host names, if it does."""
    _check_time(claim, call, now)
    path = quote(call.path, safe="/~")
    place = f"/{bucket}{path}" if bucket else path
    bare = place.count("/") == 1 and place != "/"  # a bucket, which some sign with a / behind it
    texts = [text_of(claim, call, each) for each in ((place, f"{place}/") if bare else (place,))]
    wanted = (base64.b64encode(hmac.digest(secret.encode(), t.encode(), "sha1")) for t in texts)
    shown = claim.signature.encode()
    if not any([hmac.compare_digest(each, shown) for each in wanted]):  # noqa: C419 - all of them
        raise S3Error("SignatureDoesNotMatch")


def text_of(claim: OldClaim, call: Call, place: str) -> str:
    told = _said(claim, call)
    date = claim.expires or ("" if "x-amz-date" in told else call.header("date"))
    lines = [f"{name}:{told[name].strip()}\n" for name in sorted(told) if name.startswith("x-amz-")]
    return "\n".join(
        (
            call.method,
            told.get("content-md5", ""),
            told.get("content-type", ""),
            date,
            "".join(lines) + _resource(call, place),
        )
    )


def _said(claim: OldClaim, call: Call) -> Mapping[str, str]:
    """Headers; of a presigned URL also those that were written into it."""
    if not claim.expires:
        return call.headers
    written = {name.lower(): value for name, value in call.parameters.items()}
    named = {
        name: value
        for name, value in written.items()
        if name.startswith("x-amz-") or name in ("content-md5", "content-type")
    }
    return {**named, **call.headers}


def _resource(call: Call, place: str) -> str:
    query = "&".join(
        f"{name}={value}" if value else name
        for name, value in sorted(call.pairs)
        if name in _SIGNED
    )
    return f"{place}?{query}" if query else place


def _check_time(claim: OldClaim, call: Call, now: float) -> None:
    if claim.expires:
        if not (claim.expires.isdecimal() and now <= int(claim.expires[:15])):
            raise S3Error("AccessDenied", "Request has expired")
        return
    told = call.header("x-amz-date") or call.header("date")
    try:
        found = parsedate_to_datetime(told)
        made = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError) as error:
        raise S3Error("AccessDenied", "The request has no date.") from error
    if abs(now - made) > SKEW_SECONDS:
        raise S3Error("RequestTimeTooSkewed", RequestTime=told[:100])
