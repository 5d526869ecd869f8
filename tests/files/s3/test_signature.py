"""Requests signed by botocore, which is what most programs sign with, are let in; others not."""

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from dayfly.files.s3.call import Call, call_of
from dayfly.files.s3.chunks import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Chunked, chunked
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.signature import Claim, claim_of, instant_of, signing_key, verify
from dayfly.files.s3.signature2 import old_claim_of, verify_old

SECRET = "a secret/key+"
HOST = "http://files.local:9000"


def signed(
    method: str = "GET", path: str = "/b/k", body: bytes = b"", **headers: str
) -> tuple[Call, float]:
    """With the time at which it was signed."""
    request = AWSRequest(method, HOST + path, headers=headers, data=body)
    S3SigV4Auth(Credentials("AK", SECRET), "s3", "eu-west-1").add_auth(request)
    return _received(method, str(request.url), dict(request.headers))


def presigned(path: str = "/b/k", seconds: int = 60) -> tuple[Call, float]:
    request = AWSRequest("GET", HOST + path)
    S3SigV4QueryAuth(Credentials("AK", SECRET), "s3", "eu-west-1", expires=seconds).add_auth(
        request
    )
    return _received("GET", str(request.url), {})


def _received(method: str, url: str, headers: dict[str, Any]) -> tuple[Call, float]:
    from urllib.parse import unquote  # noqa: PLC0415 - as the server has it

    path, _, query = url.removeprefix(HOST).partition("?")
    lower = {name.lower(): str(value) for name, value in headers.items()} | {"host": HOST[7:]}
    call = call_of(method, unquote(path), query, lower.items())
    if old_claim_of(call):
        return call, 0.0
    claim = claim_of(call)
    assert claim
    return call, instant_of(claim.at)


def claimed(call: Call) -> Claim:
    claim = claim_of(call)
    assert claim
    return claim


@pytest.mark.parametrize(
    "path",
    [
        "/", "/b", "/b/k", "/b/a%20b%2Bc/%C3%A9~.-_", "/b?acl", "/b?prefix=a%2Fb&max-keys=5",
        "/b/k?versionId=1&response-content-type=text%2Fplain", "/b//two//slashes/", "/b?x=&y",
    ],
)  # fmt: skip
def test_what_botocore_signs_is_let_in(path: str) -> None:
    call, at = signed(path=path)

    verify(claimed(call), call, SECRET, at)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_key_is_let_in(key: str) -> None:
    from urllib.parse import quote  # noqa: PLC0415 - as a client has it

    call, at = signed("PUT", f"/b/{quote(key, safe='/~')}", b"bytes")

    verify(claimed(call), call, SECRET, at)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": "DELETE"}, "SignatureDoesNotMatch"),
        ({"path": "/b/other"}, "SignatureDoesNotMatch"),
        ({"query": "acl"}, "SignatureDoesNotMatch"),
        ({"x-amz-acl": "public-read"}, "AccessDenied"),
        ({"host": "elsewhere"}, "SignatureDoesNotMatch"),
        ({"x-amz-content-sha256": "0" * 64}, "SignatureDoesNotMatch"),
    ],
)
def test_what_was_changed_on_the_way_is_refused(change: dict[str, str], code: str) -> None:
    call, at = signed()
    headers = {**call.headers, **{k: v for k, v in change.items() if "-" in k or k == "host"}}
    forged = call_of(
        change.get("method", "GET"), change.get("path", "/b/k"), change.get("query", ""),
        headers.items(),
    )  # fmt: skip

    with pytest.raises(S3Error) as told:
        verify(claimed(forged), forged, SECRET, at)

    assert told.value.code == code


@pytest.mark.parametrize(
    ("later", "code"),
    [(-901, "RequestTimeTooSkewed"), (901, "RequestTimeTooSkewed"), (0, ""), (890, "")],
)
def test_a_request_is_good_for_a_quarter_of_an_hour(later: float, code: str) -> None:
    call, at = signed()

    assert _refused(call, SECRET, at + later) == code


@pytest.mark.parametrize(
    ("later", "code"), [(0, ""), (59, ""), (61, "AccessDenied"), (-1000, "AccessDenied")]
)
def test_a_presigned_url_is_good_until_it_expires(later: float, code: str) -> None:
    call, at = presigned()

    assert _refused(call, SECRET, at + later) == code


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_the_time_may_be_that_of_http(zone: str) -> None:
    """As botocore has it where a program sets the header Date."""
    date = f"Fri, 27 Nov 2026 11:00:00 {zone}"
    headers = {
        "date": date,
        "authorization": f"AWS4-HMAC-SHA256 {_SCOPE.replace('0101', '1127')}, "
        "SignedHeaders=host, Signature=0",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    expected = "20261127T110000Z"

    assert claimed(call_of("GET", "/", "", headers.items())).at == expected


def test_another_secret_is_refused() -> None:
    call, at = signed()

    assert _refused(call, "another", at) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("seconds", [0, -1, 604801])
def test_a_presigned_url_is_good_for_a_week_at_most(seconds: int) -> None:
    with pytest.raises(S3Error) as told:
        presigned(seconds=seconds)

    assert told.value.code == "AccessDenied"


_SCOPE = "Credential=AK/20260101/r/s3/aws4_request"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer token", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed"),
        (f"AWS4-HMAC-SHA256 {_SCOPE}, SignedHeaders=host", "AuthorizationHeaderMalformed"),
        (
            (
                "AWS4-HMAC-SHA256 Credential=AK/20260101/r/ec2/aws4_request, SignedHeaders=host, "
                "Signature=0"
            ),
            "AuthorizationHeaderMalformed",
        ),
        (
            f"AWS4-HMAC-SHA256 {_SCOPE.replace('0101', '0102')}, SignedHeaders=host, Signature=0",
            "AuthorizationHeaderMalformed",
        ),
    ],
)
def test_a_header_that_is_no_signature(authorization: str, code: str) -> None:
    headers = {
        "authorization": authorization,
        "x-amz-date": "20260101T000000Z",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }

    with pytest.raises(S3Error) as told:
        claim_of(call_of("GET", "/", "", headers.items()))

    assert told.value.code == code


def older(call: Call, secret: str, now: float, bucket: str = "") -> str:
    claim = old_claim_of(call)
    assert claim
    try:
        verify_old(claim, call, secret, now, bucket)
    except S3Error as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "path", ["/b/k", "/b/%C3%A9%20%2B?versionId=1&acl", "/b?prefix=x&uploads", "/b"]
)
@pytest.mark.parametrize("auth", [HmacV1Auth, HmacV1QueryAuth])
def test_the_older_signature_of_botocore_is_let_in(path: str, auth: type[HmacV1Auth]) -> None:
    request = AWSRequest(
        "PUT", HOST + path, headers={"x-amz-acl": "private", "Content-Type": "x/y"}
    )
    auth(Credentials("AK", SECRET)).add_auth(request)
    now = time.time()
    sent = dict(request.headers) if auth is HmacV1Auth else {"Content-Type": "x/y"}
    call, _ = _received("PUT", str(request.url), sent)

    assert older(call, SECRET, now) == ""
    assert older(call, "another", now) == "SignatureDoesNotMatch"
    assert older(call, SECRET, now, "other") == "SignatureDoesNotMatch"
    assert older(call, SECRET, now + 4000) in ("AccessDenied", "RequestTimeTooSkewed")


def test_who_shows_nothing_is_anonymous() -> None:
    assert claim_of(call_of("GET", "/b/k")) is None


def _refused(call: Call, secret: str, now: float) -> str:
    try:
        verify(claimed(call), call, secret, now)
    except S3Error as error:
        return error.code
    return ""


# Bodies in chunks, as Amazon's page on "aws-chunked" tells them.

CLAIM = Claim(
    key_id="AK", day="20260101", region="r", signed=("host",), signature="f" * 64,
    at="20260101T000000Z", payload=SIGNED,
)  # fmt: skip
EMPTY = hashlib.sha256(b"").hexdigest()


def packed(pieces: list[bytes], payload: str, trailers: dict[str, str] | None = None) -> bytes:
    """A body as a client sends it."""
    previous, out = CLAIM.signature, b""
    for piece in (*pieces, b""):
        line = f"{len(piece):x}"
        if payload != UNSIGNED_TRAILER:
            digest = hashlib.sha256(piece).hexdigest()
            previous = _sign(f"AWS4-HMAC-SHA256-PAYLOAD\n{_at(previous)}\n{EMPTY}\n{digest}")
            line += f";chunk-signature={previous}"
        out += line.encode() + b"\r\n" + piece + (b"\r\n" if piece else b"")
    raw = "".join(f"{name}:{value}\n" for name, value in (trailers or {}).items())
    out += raw.replace("\n", "\r\n").encode()
    if trailers and payload == SIGNED_TRAILER:
        digest = hashlib.sha256(raw.encode()).hexdigest()
        shown = _sign(f"AWS4-HMAC-SHA256-TRAILER\n{_at(previous)}\n{digest}")
        out += f"x-amz-trailer-signature:{shown}\r\n".encode()
    return out + b"\r\n"


def _at(previous: str) -> str:
    return f"{CLAIM.at}\n{CLAIM.scope}\n{previous}"


def _sign(text: str) -> str:
    return hmac.digest(signing_key(SECRET, CLAIM.day, CLAIM.region), text.encode(), "sha256").hex()


def reader(payload: str) -> Chunked:
    from msgspec.structs import replace  # noqa: PLC0415 - only here

    return chunked(replace(CLAIM, payload=payload), SECRET)


def unpacked(body: bytes, payload: str, at_once: int) -> tuple[bytes, dict[str, str]]:
    one = reader(payload)
    out = b"".join(
        piece
        for start in range(0, len(body), at_once)
        for piece in one.feed(body[start : start + at_once])
    )
    one.finish()
    return out, one.trailers


CHECKSUM = {"x-amz-checksum-crc32": base64.b64encode(b"1234").decode()}


@given(
    st.lists(st.binary(min_size=1, max_size=300), max_size=5),
    st.sampled_from([SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]),
    st.integers(1, 700),
)
def test_chunks_are_put_together_however_they_arrive(
    pieces: list[bytes], payload: str, at_once: int
) -> None:
    trailers = {} if payload == SIGNED else CHECKSUM

    assert unpacked(packed(pieces, payload, trailers), payload, at_once) == (
        b"".join(pieces),
        trailers,
    )


@pytest.mark.parametrize("payload", [SIGNED, SIGNED_TRAILER])
def test_a_changed_chunk_is_refused(payload: str) -> None:
    body = packed([b"one", b"two"], payload, CHECKSUM if payload != SIGNED else None)

    with pytest.raises(S3Error) as told:
        unpacked(body.replace(b"two", b"TWO"), payload, 7)

    assert told.value.code == "SignatureDoesNotMatch"


def test_a_changed_trailer_is_refused() -> None:
    body = packed([b"one"], SIGNED_TRAILER, CHECKSUM).replace(b"MTIz", b"MTI0")

    with pytest.raises(S3Error) as told:
        unpacked(body, SIGNED_TRAILER, 9)

    assert told.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "IncompleteBody"),
        (b"5\r\nabc", "IncompleteBody"),
        (b"3\r\nabc\r\n0\r\n", "IncompleteBody"),
        (b"3\r\nabcd\r\n0\r\n\r\n", "InvalidRequest"),
        (b"zz\r\n", "InvalidRequest"),
        (b"-1\r\n", "InvalidRequest"),
        (b"1" * 17 + b"\r\n", "InvalidRequest"),
        (b"a" * 2000, "InvalidRequest"),
        (b"0\r\n" + b"a" * 9000, "InvalidRequest"),
        (b"0\r\n" + b"a:b\r\n" * 4000 + b"\r\n", "InvalidRequest"),
        (b"0\r\n\r\nmore", "InvalidRequest"),
        (b"1\r\na\r\n" * 1001, "InvalidChunkSizeError"),
        (b"2000\r\n" + b"a" * 8192 + b"\r\n" + b"1\r\na\r\n" * 1000, "IncompleteBody"),
    ],
)
def test_a_body_that_is_not_in_chunks_as_it_should(body: bytes, code: str) -> None:
    with pytest.raises(S3Error) as told:
        unpacked(body, UNSIGNED_TRAILER, 64 * 1024)

    assert told.value.code == code


def test_another_way_to_sign_chunks_is_not_implemented() -> None:
    with pytest.raises(S3Error) as told:
        reader("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")

    assert told.value.code == "NotImplemented"
