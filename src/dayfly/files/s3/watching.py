"""What happens in a bucket, told while it happens: server-sent events of `GET /BUCKET?watch`."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from dayfly.files.errors import FilesError
from dayfly.files.objects import Change
from dayfly.files.repository import Repository
from dayfly.files.s3 import rights
from dayfly.files.s3.answer import Answer, Followed
from dayfly.files.s3.problem import S3Error, invalid
from dayfly.files.s3.request import Request
from dayfly.files.s3.xmlwrite import iso

LOOK_SECONDS, HEARTBEAT_SECONDS = 0.25, 15.0
ALLOWED_SECONDS = 1.0  # for which somebody who may watch is not asked again
MOST_WATCHERS = 200  # of one process
TOGETHER = 500  # changes that are read at once
STILL_HERE = b": still here\n\n"
GAP = b"event: gap\ndata: {}\n\n"


def watch(request: Request, _: bytes) -> Answer:
    """From the change that is named on; from now on where none is."""
    bucket = request.bucket()
    rights.check(request, bucket, "s3:ListBucket")
    told = request.headers.get("last-event-id") or request.parameters.get("after", "")
    if told and not (told.isascii() and told.isdecimal() and len(told) < 19):  # noqa: PLR2004 - digits
        raise invalid("after", told, "the number of a change")
    after = int(told) if told else request.repository.last_change()
    headers = [("content-type", "text/event-stream"), ("cache-control", "no-store")]
    prefix = request.parameters.get("prefix", "")
    body = Followed(bucket.name, prefix, after, partial(_still, request))
    return Answer(headers=headers, body=body)


def _still(request: Request) -> bool:
    """Whether the key is still one, and may still list the bucket, which is still there."""
    caller = request.caller
    if caller.account:
        found = request.service.accounts.of_key(caller.key_id)
        if found is None or found[0].id != caller.id:
            return False
        caller = structs.replace(caller, account=found[0])
    asking = structs.replace(request, caller=caller)
    try:
        return rights.may(asking, asking.bucket(), "s3:ListBucket")
    except (S3Error, FilesError):
        return False


@dataclass
class Watchers:
    """Those of one process; what other processes change is seen too, in the index."""

    repository: Repository
    number: int = 0

    def check(self) -> None:
        if self.number >= MOST_WATCHERS:
            raise S3Error("SlowDown", f"{MOST_WATCHERS} watch already.")

    async def events(self, followed: Followed) -> AsyncGenerator[bytes, None]:
        """An empty piece where nothing is to be said; the end where it may not be said any more."""
        self.number += 1
        try:
            yield STILL_HERE + (GAP if self._misses(followed.after) else b"")
            after, said = followed.after, time.monotonic()
            allowed = said
            while True:
                after, piece = self._news(followed, after)
                if piece or time.monotonic() - allowed > ALLOWED_SECONDS:
                    if not followed.may():
                        return
                    allowed = time.monotonic()
                if not piece and time.monotonic() - said > HEARTBEAT_SECONDS:
                    piece = STILL_HERE
                if piece:
                    said = time.monotonic()
                else:
                    await asyncio.sleep(LOOK_SECONDS)
                yield piece
        finally:
            self.number -= 1

    def _misses(self, after: int) -> bool:
        """Whether what followed it may be among the changes that are not kept any more."""
        oldest = self.repository.changes(0, 1)
        return bool(after and oldest) and oldest[0].sequence > after

    def _news(self, followed: Followed, after: int) -> tuple[int, bytes]:
        found = self.repository.changes(after, TOGETHER)
        lines = [event(each) for each in found if _is_for(followed, each)]
        return found[-1].sequence if found else after, b"".join(lines)


def event(change: Change) -> bytes:
    """As it is sent: its number is what a reader that comes again names."""
    data = msgspec.json.encode(told(change)).decode()
    return f"id: {change.sequence}\nevent: {change.kind}\ndata: {data}\n\n".encode()


def told(change: Change) -> dict[str, Any]:
    return {
        "change": change.sequence,
        "bucket": change.bucket,
        "key": change.key,
        "version": change.id,
        "kind": change.kind,
        "at": iso(change.at),
    }


def _is_for(followed: Followed, change: Change) -> bool:
    return change.bucket == followed.bucket and change.key.startswith(followed.prefix)
