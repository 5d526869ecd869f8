"""AWS's signature, version 4: in headers and in queries. Own HMAC, since it is on every request."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from dayfly.files.s3.call import Call
from dayfly.files.s3.problem import S3Error

ALGORITHM, OLD_ALGORITHM = "AWS4-HMAC-SHA256", "AWS"  # as policies call them
UNSIGNED = "UNSIGNED-PAYLOAD"
SKEW_SECONDS = 15 * 60
LONGEST_SECONDS = 7 * 24 * 60 * 60  # that a presigned URL may be good for
_TIME = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")  # what is written in a path as it is
_SPACES = re.compile(r" {2,}")
_CREDENTIAL = "Credential must be KEY/YYYYMMDD/REGION/s3/aws4_request."
_BLOCK = 64  # bytes that SHA-256 takes at once
_INNER, _OUTER = (bytes(each ^ pad for each in range(256)) for pad in (0x36, 0x5C))
_SCOPE = re.compile(r"([^/]+)/(\d{8})/([^/]*)/s3/aws4_request")


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody says to be, and the signature that is to prove it."""

    key_id: str
    day: str
    region: str
    signed: tuple[str, ...]  # the names of headers
    signature: str
    at: str  # 20260131T120000Z
    payload: str  # the SHA-256 of the body, or how it is signed
    expires: int | None = None  # seconds, of a presigned URL

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/s3/aws4_request"


class Signer(NamedTuple):
    key_id: str
    day: str
    region: str
    signed: tuple[str, ...]


def claim_of(call: Call) -> Claim | None:
    """None is anonymous."""
    authorization = call.header("authorization")
    if authorization:
        return _of_header(call, authorization)
    if "X-Amz-Algorithm" in call.parameters or "X-Amz-Signature" in call.parameters:
        return _of_query(call)
    return None


def verify(claim: Claim, call: Call, secret: str, now: float) -> None:
    """S3Error where the time is wrong, or the signature is not that of the secret."""
    _check_time(claim, now)
    _check_signed(claim, call)
    wanted = signature_of(claim, secret, canonical(claim, call))
    if not hmac.compare_digest(wanted.encode(), claim.signature.encode()):
        raise S3Error("SignatureDoesNotMatch")


def signature_of(claim: Claim, secret: str, request: str) -> str:
    digest = hashlib.sha256(request.encode()).hexdigest()
    return signed(claim, secret, f"{ALGORITHM}\n{claim.at}\n{claim.scope}\n{digest}")


def signed(claim: Claim, secret: str, text: str) -> str:
    """HMAC by its definition, from hashes that have its key already: a third of the time."""
    inner, outer = (each.copy() for each in _begun(secret, claim.day, claim.region))
    inner.update(text.encode())
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=1024)
def _begun(secret: str, day: str, region: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    padded = signing_key(secret, day, region).ljust(_BLOCK, b"\0")
    return hashlib.sha256(padded.translate(_INNER)), hashlib.sha256(padded.translate(_OUTER))


@lru_cache(maxsize=1024)
def signing_key(secret: str, day: str, region: str) -> bytes:
    """Good for a day, so that most requests need no other."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def canonical(claim: Claim, call: Call) -> str:
    path = call.path if _PLAIN.fullmatch(call.path) else quote(call.path, safe="/~")
    query = _canonical_query(call.pairs) if call.pairs else ""
    lines = "".join([f"{name}:{_signed_value(call, name)}\n" for name in claim.signed])
    names = ";".join(claim.signed)
    return f"{call.method}\n{path}\n{query}\n{lines}\n{names}\n{claim.payload}"


@lru_cache(maxsize=1024)
def instant_of(at: str) -> float:
    return datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _signed_value(call: Call, name: str) -> str:
    value = call.headers.get(name)
    if value is None:
        if name == "content-length":
            return ""
        raise S3Error("SignatureDoesNotMatch", f"The signed header {name[:100]!r} did not come.")
    value = value.strip()
    return _SPACES.sub(" ", value) if "  " in value else value


def _canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    encoded = sorted(
        (quote(name, safe="~"), quote(value, safe="~"))
        for name, value in pairs
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


def _of_header(call: Call, authorization: str) -> Claim:
    begun, found, signature = authorization.rpartition("Signature=")
    signer = _signer(begun if found else authorization)
    if not found:
        raise _malformed_header("It has no Signature.")
    payload = call.header("x-amz-content-sha256")
    if not payload:
        raise S3Error("InvalidRequest", "The header x-amz-content-sha256 is missing.")
    at = call.header("x-amz-date") or _time_of_date(call.header("date"))
    return _claim(signer, signature, at=at, payload=payload)


@lru_cache(maxsize=1024)
def _signer(authorization: str) -> Signer:
    """What precedes the signature, which is the same in many requests of a client."""
    kind, _, rest = authorization.partition(" ")
    fields = dict(_field(each) for each in rest.split(","))
    if kind != ALGORITHM or not {"Credential", "SignedHeaders"} <= fields.keys():
        raise _malformed_header("Allowed is AWS4-HMAC-SHA256 with its parts, Signature the last.")
    scope = _SCOPE.fullmatch(fields["Credential"])
    if not scope:
        raise _malformed_header(_CREDENTIAL)
    return Signer(scope[1], scope[2], scope[3], _names(fields["SignedHeaders"]))


def _of_query(call: Call) -> Claim:
    told = call.parameters
    if told.get("X-Amz-Algorithm") != ALGORITHM:
        raise _query_error(f"X-Amz-Algorithm must be {ALGORITHM}.")
    expires = told.get("X-Amz-Expires", "")
    if not (expires.isdecimal() and len(expires) < 10 and 0 < int(expires) <= LONGEST_SECONDS):  # noqa: PLR2004 - digits
        raise S3Error("AccessDenied", f"X-Amz-Expires must be between 1 and {LONGEST_SECONDS}.")
    scope = _SCOPE.fullmatch(told.get("X-Amz-Credential", ""))
    if not scope:
        raise _query_error(_CREDENTIAL)
    payload = told.get("X-Amz-Content-Sha256") or call.header("x-amz-content-sha256") or UNSIGNED
    signer = Signer(scope[1], scope[2], scope[3], _names(told.get("X-Amz-SignedHeaders", "")))
    return _claim(
        signer,
        told.get("X-Amz-Signature", ""),
        at=told.get("X-Amz-Date", ""),
        payload=payload,
        expires=int(expires),
    )


def _claim(
    signer: Signer, signature: str, *, at: str, payload: str, expires: int | None = None
) -> Claim:
    if not _TIME.fullmatch(at):
        raise S3Error("AccessDenied", "The time of the signature is missing or no ISO 8601.")
    if signer.day != at[:8]:
        malformed = _malformed_header if expires is None else _query_error
        raise malformed("The day of Credential is not that of the request.")
    if not (_HEX.fullmatch(payload) or payload == UNSIGNED or payload.startswith("STREAMING-")):
        raise S3Error("InvalidArgument", "x-amz-content-sha256 is no SHA-256 of a body.")
    return Claim(
        key_id=signer.key_id,
        day=signer.day,
        region=signer.region,
        signed=signer.signed,
        signature=signature.strip(),
        at=at,
        payload=payload,
        expires=expires,
    )


def _check_time(claim: Claim, now: float) -> None:
    try:
        made = instant_of(claim.at)
    except ValueError as error:
        raise S3Error("AccessDenied", "The time of the signature is none.") from error
    if claim.expires is None:
        if abs(now - made) > SKEW_SECONDS:
            raise S3Error("RequestTimeTooSkewed", RequestTime=claim.at)
    elif now > made + claim.expires:
        raise S3Error("AccessDenied", "Request has expired", X_Amz_Expires=str(claim.expires))
    elif made - now > SKEW_SECONDS:
        raise S3Error("AccessDenied", "Request is not valid yet")


def _check_signed(claim: Claim, call: Call) -> None:
    """Whoever changes such a header on the way would change the request."""
    unsigned = [
        name for name in call.headers if name not in claim.signed and name.startswith("x-amz-")
    ]
    if "host" not in claim.signed or not all(_harmless(claim, each) for each in unsigned):
        raise S3Error("AccessDenied", "There were headers present which were not signed.")


def _harmless(claim: Claim, name: str) -> bool:
    """Some clients hash the body of a presigned request without having signed that."""
    return claim.expires is not None and name == "x-amz-content-sha256"


def _field(text: str) -> tuple[str, str]:
    name, _, value = text.strip().partition("=")
    return name, value


def _time_of_date(date: str) -> str:
    try:
        found = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return ""
    known = found if found.tzinfo else found.replace(tzinfo=UTC)  # -0000, as botocore writes it
    return known.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _names(signed: str) -> tuple[str, ...]:
    return tuple(signed.lower().split(";"))


def _malformed_header(message: str) -> S3Error:
    return S3Error("AuthorizationHeaderMalformed", message)


def _query_error(message: str) -> S3Error:
    return S3Error("AuthorizationQueryParametersError", message)
