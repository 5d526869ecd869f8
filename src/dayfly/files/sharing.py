"""Links to single objects that are good for a while, signed with a key that may only read.

Whoever has the key itself can read what was shared from, and change nothing there. The right to
read stands in the policy of a bucket, from the first link into it on.
"""

import time
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

import msgspec

from dayfly import typed
from dayfly.errors import UsageError
from dayfly.files import buckets, credentials
from dayfly.files.errors import MarkerError
from dayfly.files.objects import Bucket
from dayfly.files.operated import Operated
from dayfly.files.repository import Repository
from dayfly.files.s3 import settings
from dayfly.files.s3.accounts import Key
from dayfly.files.s3.call import call_of
from dayfly.files.s3.request import DEFAULT_REGION
from dayfly.files.s3.signature import ALGORITHM, LONGEST_SECONDS, UNSIGNED, Claim, signature_of
from dayfly.files.s3.signature import canonical as canonical_of

ACCOUNT = "dayfly.share"  # no app is called so: their names have no dot
SID = "DayflyShare"


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Without a version the link gives what is current when it is followed."""

    bucket: str
    key: str
    version: str = ""
    seconds: float


def link(archive: Operated, repository: Repository, shared: Shared, host: str) -> str:
    """For somebody who reaches this host by that name; it saves a file, and shows none."""
    if not 1 <= shared.seconds <= LONGEST_SECONDS:
        raise UsageError(f"A link is good for 1 s to {LONGEST_SECONDS // 86_400} days.")
    if {".", ".."} & set(shared.key.split("/")):
        raise UsageError(
            f"{shared.key}: browsers take `.` and `..` out of an address",
            hint="Copy the object to another key.",
        )
    if repository.head(shared.bucket, shared.key, shared.version).marker:
        raise MarkerError(f"{shared.bucket}/{shared.key}: version {shared.version} is a deletion")
    endpoint = archive.endpoint(host)
    if not endpoint:
        raise UsageError("The archive does not answer anywhere yet.", hint="`dayfly up` starts it.")
    buckets.change(repository.ground, shared.bucket, readable)
    return presigned(endpoint, _key(archive), shared, time.time())


def presigned(endpoint: str, key: Key, shared: Shared, now: float) -> str:
    """A GET as S3's clients sign it, of a file that is to be saved."""
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    claim = Claim(
        key_id=key.access_key_id,
        day=at[:8],
        region=DEFAULT_REGION,
        signed=("host",),
        signature="",
        at=at,
        payload=UNSIGNED,
        expires=int(shared.seconds),
    )
    query = urlencode(_told(claim, shared), quote_via=quote, safe="~")
    path = f"/{shared.bucket}/{shared.key}"
    host = endpoint.partition("://")[2]
    signed = canonical_of(claim, call_of("GET", path, query, [("host", host)]))
    signature = signature_of(claim, key.secret_access_key, signed)
    return f"{endpoint}{quote(path, safe='/~')}?{query}&X-Amz-Signature={signature}"


def readable(bucket: Bucket) -> Bucket:
    """Its policy lets the account of links read objects, besides what it says already."""
    told = typed.plain(bucket.settings.get(settings.POLICY, '{"Statement": []}'))
    found = told["Statement"]
    statements = found if isinstance(found, list) else [found]
    if any(each.get("Sid") == SID for each in statements):
        return bucket
    told["Statement"] = [*statements, _statement(bucket.name)]
    told.setdefault("Version", "2012-10-17")
    text = msgspec.json.encode(told).decode()
    return replace(bucket, settings={**bucket.settings, settings.POLICY: text})


def _statement(bucket: str) -> dict[str, object]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"AWS": ACCOUNT},
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }


def _key(archive: Operated) -> Key:
    """Who takes it back ends all links; the next one gets another key."""
    for account, key in credentials.keys(archive.accounts):
        if account == ACCOUNT:
            return key
    return credentials.create(archive.accounts, ACCOUNT)


def _told(claim: Claim, shared: Shared) -> dict[str, str]:
    name = quote(shared.key.rstrip("/").rpartition("/")[2], safe="")
    told = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{claim.key_id}/{claim.scope}",
        "X-Amz-Date": claim.at,
        "X-Amz-Expires": str(claim.expires),
        "X-Amz-SignedHeaders": "host",
        "response-content-disposition": f"attachment; filename*=UTF-8''{name}",
    }
    return told | ({"versionId": shared.version} if shared.version else {})
