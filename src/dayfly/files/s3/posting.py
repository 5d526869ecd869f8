"""PostObject: what a browser's form uploads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode, urlsplit

from msgspec import structs

from dayfly.clock import SECOND
from dayfly.files.condition import Condition
from dayfly.files.objects import Bucket, Version
from dayfly.files.s3 import postpolicy, reading
from dayfly.files.s3.address import address_of
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.form import Form
from dayfly.files.s3.head import Headers
from dayfly.files.s3.operations import refuse_elsewhere
from dayfly.files.s3.postpolicy import Limits
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.proof import proof_of
from dayfly.files.s3.request import Caller, Request
from dayfly.files.s3.tagging import tags_of_xml
from dayfly.files.s3.taking import Taking, Trailers
from dayfly.files.s3.writes import check_write, described, token_of
from dayfly.files.s3.xmlwrite import around, tags

_OF_PUT = ("x-amz-", "if-")


@dataclass(frozen=True, kw_only=True)
class _Bounded(Taking):
    """Refuses a file that is larger than the form's policy allows, while it comes."""

    limits: Limits

    def write(self, piece: bytes | memoryview) -> None:
        self.limits.check(self.staged.size + len(piece), whole=False)
        super().write(piece)


@contextmanager
def of_form(request: Request, form: Form) -> Iterator[Taking]:
    """Once its fields are known, and the file begins."""
    fields = form.fields
    if not fields.get("key"):
        raise S3Error("InvalidArgument", "The form has no key.")
    key = fields["key"].replace("${filename}", form.filename)
    caller, limits = _caller(request, fields, key)
    address = address_of("", f"/{request.address.bucket}/{key}")
    request = structs.replace(request, caller=caller, address=address)
    bucket = request.bucket()
    told = _told(fields)
    refuse_elsewhere(structs.replace(request.call, headers=told))
    said = structs.replace(request.call, headers=_as_headers(request.headers, told))
    request = structs.replace(request, call=said)
    description = described(request, bucket, fields=told)
    check_write(request, bucket, description, key)
    proof = proof_of(told, None)
    condition = Condition(token=token_of(request.headers))
    with request.repository.stage(bucket.name, algorithms=proof.algorithms) as staged:

        def finish(_: Trailers) -> Answer:
            limits.check(staged.size, whole=True)
            whole = replace(description, checksum=proof.check(staged, {}))
            version = request.repository.put(staged, key, whole, condition)
            return _answer(bucket, fields, version, request.url_of(key))

        yield _Bounded(staged=staged, finish=finish, limits=limits)


def _caller(request: Request, fields: Mapping[str, str], key: str) -> tuple[Caller, Limits]:
    key_id = postpolicy.key_id_of(fields)
    if key_id is None:
        return request.caller, Limits()
    found = request.service.accounts.of_key(key_id)
    if found is None:
        raise S3Error("InvalidAccessKeyId", AWSAccessKeyId=key_id[:128])
    account, secret, sender = found
    postpolicy.verify(fields, secret)
    covered = {**fields, "key": key, "bucket": request.address.bucket}
    caller = Caller(account=account, sender=sender, signed=postpolicy.version_of(fields))
    return caller, postpolicy.check(covered, request.now / SECOND)


def _as_headers(headers: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """Of a form its fields say what of a PUT the headers say, which count for policies too."""
    own = {name: value for name, value in headers.items() if not name.startswith(_OF_PUT)}
    return own | {name: value for name, value in told.items() if name.startswith("x-amz-")}


def _told(fields: Mapping[str, str]) -> dict[str, str]:
    """As the headers of a PUT would say it."""
    told = dict(fields)
    if "acl" in told:
        told["x-amz-acl"] = told.pop("acl")
    if told.get("tagging"):
        told["x-amz-tagging"] = urlencode(tags_of_xml(told.pop("tagging").encode()))
    return told


def _answer(bucket: Bucket, fields: Mapping[str, str], version: Version, place: str) -> Answer:
    etag = f'"{version.etag}"'
    headers: Headers = [
        ("etag", etag),
        ("location", place),
        *reading.new_version_headers(bucket, version),
        *reading.checksum_headers(version),
    ]
    target = fields.get("success_action_redirect") or fields.get("redirect", "")
    if target and urlsplit(target).scheme in ("http", "https") and target.isascii():
        query = urlencode(
            {"bucket": bucket.name, "key": version.key, "etag": etag}, quote_via=quote
        )
        joint = "&" if urlsplit(target).query else "?"
        return Answer(status=303, headers=[("location", f"{target}{joint}{query}"), *headers[2:]])
    status = fields.get("success_action_status", "")
    if status == "201":
        told = tags(Location=place, Bucket=bucket.name, Key=version.key, ETag=etag)
        return xml(around("PostResponse", told).encode(), 201, headers)
    return Answer(status=200 if status == "200" else 204, headers=headers)
