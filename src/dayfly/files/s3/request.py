"""A request that is known: who asks for what, and of whose service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from dayfly.files.objects import Bucket, Provenance
from dayfly.files.repository import Repository
from dayfly.files.s3.accounts import Account, Accounts
from dayfly.files.s3.address import Address, bucket_of_host
from dayfly.files.s3.call import Call
from dayfly.files.s3.origin import origin_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.signature import ALGORITHM, OLD_ALGORITHM, Claim, claim_of, verify
from dayfly.files.s3.signature2 import old_claim_of, verify_old

DEFAULT_REGION = "us-east-1"
SOURCE, LONGEST_SOURCE = "x-dayfly-source", 2048  # the URL that an object was fetched from
EXPECTED = "x-amz-expected-bucket-owner"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What all requests are answered from."""

    repository: Repository
    known: Callable[[], Accounts]  # as they are now
    domains: tuple[str, ...] = ()
    region: str = DEFAULT_REGION

    @property
    def accounts(self) -> Accounts:
        return self.known()


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody in particular, without an account. `sender` is who of those that have the key.

    `signed` is the version of the signature, as policies call it; empty without one.
    """

    account: Account | None = None
    claim: Claim | None = None
    secret: str = ""
    sender: str = ""
    signed: str = ""
    key_id: str = ""

    @property
    def id(self) -> str | None:
        return self.account.id if self.account else None

    def has_signed(self, header: str) -> bool:
        """Whether it is the caller who says it, and not somebody with a link of the caller."""
        return self.claim is not None and header in self.claim.signed

    @property
    def operator(self) -> bool:
        return self.account is not None and self.account.operator


ANYBODY = Caller()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    service: Service
    call: Call
    address: Address
    operation: str
    caller: Caller
    now: int  # nanoseconds since the epoch

    @property
    def headers(self) -> Mapping[str, str]:
        return self.call.headers

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.call.parameters

    @property
    def repository(self) -> Repository:
        return self.service.repository

    @property
    def version(self) -> str:
        """The id of the one that is asked for; empty for the current one."""
        return self.call.parameters.get("versionId", "")

    @property
    def origin(self) -> Provenance:
        """What is kept of the caller with what it writes."""
        source = self.call.header(SOURCE) if self.caller.has_signed(SOURCE) else ""
        if len(source) > LONGEST_SOURCE:
            raise S3Error("InvalidArgument", f"{SOURCE} may have {LONGEST_SOURCE} characters.")
        return origin_of(self.caller.id, self.caller.sender, source)

    def bucket(self) -> Bucket:
        return bucket_of(self, self.address.bucket, EXPECTED)

    def url_of(self, key: str) -> str:
        """Of an object of the bucket, in the style in which the request named that."""
        scheme, host = "https" if self.call.secure else "http", self.call.header("host")
        named = bucket_of_host(host, self.service.domains)
        return f"{scheme}://{host}/{quote(key if named else f'{self.address.bucket}/{key}')}"

    def account(self) -> Account:
        if self.caller.account is None:
            raise S3Error("AccessDenied")
        return self.caller.account


def bucket_of(request: Request, name: str, expected: str) -> Bucket:
    """AccessDenied where it is not whose the header says."""
    bucket = request.repository.bucket(name)
    check_expected(request, bucket, expected)
    return bucket


def check_expected(request: Request, bucket: Bucket, header: str) -> None:
    owner = request.headers.get(header)
    if owner is not None and owner != bucket.owner:
        raise S3Error("AccessDenied", "The bucket's owner is not the one expected.")


def caller_of(service: Service, call: Call, now: float) -> Caller:
    """S3Error where a signature is shown that is not good."""
    old = old_claim_of(call)
    claim = None if old else claim_of(call)
    shown = old or claim
    if shown is None:
        return ANYBODY
    found = service.accounts.of_key(shown.key_id)
    if found is None:
        raise S3Error("InvalidAccessKeyId", AWSAccessKeyId=shown.key_id[:128])
    account, secret, sender = found
    if claim:
        verify(claim, call, secret, now)
    elif old:
        bucket = bucket_of_host(call.header("host"), service.domains)
        verify_old(old, call, secret, now, bucket)
    if "x-amz-security-token" in call.headers or "X-Amz-Security-Token" in call.parameters:
        raise S3Error("InvalidToken", "There are no session tokens here.")
    signed = ALGORITHM if claim else OLD_ALGORITHM
    return Caller(
        account=account,
        claim=claim,
        secret=secret,
        sender=sender,
        signed=signed,
        key_id=shown.key_id,
    )


def number_of(
    parameters: Mapping[str, str], name: str, default: int, *, least: int = 0, most: int = 2**31 - 1
) -> int:
    text = parameters.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most):  # noqa: PLR2004 - digits
        allowed = f"a whole number from {least} to {most}"
        raise S3Error(
            "InvalidArgument",
            f"{name} is {text[:40]!r}; allowed is {allowed}.",
            ArgumentName=name,
            ArgumentValue=text[:200],
        )
    return int(text)
