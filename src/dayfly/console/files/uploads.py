"""Files that arrive from a browser: small ones at once, large ones in parts, none over another's.

The condition of each says what its sender has seen: nothing there, or one ETag. It is decided
when the file becomes current, so that what came meanwhile is not written over unseen.
"""

import math
import mimetypes
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly import typed
from dayfly.clock import SECOND
from dayfly.console.files import versions
from dayfly.console.files.desk import SEAL, Desk, not_sealed, thing_of, told
from dayfly.console.files.places import PATH, Thing
from dayfly.console.files.searching import origin
from dayfly.console.words import moment
from dayfly.errors import DayflyError, UsageError
from dayfly.files.condition import ANY, Condition
from dayfly.files.errors import ConditionError, NoSuchKeyError, NoSuchUploadError
from dayfly.files.objects import Description, Named, Upload
from dayfly.files.repository import Repository
from dayfly.files.uploads import MOST_PARTS
from dayfly.shown import amount

PART = 8 * 1024 * 1024  # bytes; a file up to this size is sent at once
MOST = 64 * 1024 * 1024  # bytes of one request, which are held in memory
MOST_LIST = 1024 * 1024  # bytes of the list of parts
Answer = Callable[[Request, Repository, Thing, bytes], Any]


class Parts(msgspec.Struct, forbid_unknown_fields=True):
    """The parts that make a file, by number."""

    etags: list[str]


class Uploads:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self, middleware: list[Middleware]) -> list[BaseRoute]:
        answers: list[tuple[str, str, Answer, int]] = [
            ("PUT", "put", self._put, MOST),
            ("POST", "begin", self._begin, 0),
            ("PUT", "part", self._part, MOST),
            ("POST", "complete", self._complete, MOST_LIST),
            ("POST", "abort", self._abort, 0),
        ]
        return [
            Route(
                f"{PATH}/there", self._endpoint(self._there, 0, sealed=False), middleware=middleware
            ),
            *(
                Route(
                    f"{PATH}/upload/{name}",
                    self._endpoint(answer, most, sealed=True),
                    methods=[method],
                    middleware=middleware,
                )
                for method, name, answer, most in answers
            ),
        ]

    def _endpoint(self, answer: Answer, most: int, *, sealed: bool) -> Callable[[Request], Any]:
        def answered(request: Request, body: bytes) -> Response:
            with self._desk.state.archive().opened() as repository:
                return JSONResponse(answer(request, repository, thing_of(request), body))

        async def endpoint(request: Request) -> Response:
            if sealed and not self._desk.sealed(request, request.headers.get(SEAL, "")):
                return not_sealed()
            try:
                return await run_in_threadpool(answered, request, await _body(request, most))
            except ClientDisconnect:
                return Response(status_code=400)
            except NoSuchKeyError:  # what was seen is not there any more
                return told(ConditionError("It was deleted meanwhile."))
            except DayflyError as error:
                return told(error)

        return endpoint

    def _there(self, request: Request, repository: Repository, thing: Thing, _: bytes) -> Any:  # noqa: ANN401 - JSON, here and below
        """What a file of this name would be put over, and in what parts it is sent."""
        size = request.query_params.get("size", "")
        bucket = repository.bucket(thing.bucket)
        found = versions.present(repository, thing)
        words = ""
        if found:
            by = origin(found)
            when = moment(found.modified / SECOND)
            put = f"{amount(found.size)}, put {when}{f' by {by}' if by else ''}"
            words = f"{put}. {versions.consequence(bucket, found)}"
        return {
            "etag": versions.was(found),
            "words": words,
            "part": part_size(int(size) if size.isascii() and size.isdecimal() else 0),
        }

    def _put(self, request: Request, repository: Repository, thing: Thing, body: bytes) -> Any:  # noqa: ANN401
        with repository.stage(thing.bucket) as staged:
            staged.write(body)
            described = self._described(request, repository, thing)
            made = repository.put(staged, thing.key, described, _condition(request))
        return {"version": made.id, "etag": made.etag}

    def _begin(self, request: Request, repository: Repository, thing: Thing, _: bytes) -> Any:  # noqa: ANN401
        described = self._described(request, repository, thing)
        return {"upload": repository.begin_upload(thing.bucket, thing.key, described).id}

    def _part(self, request: Request, repository: Repository, thing: Thing, body: bytes) -> Any:  # noqa: ANN401
        number = request.query_params.get("number", "")
        if not (number.isascii() and number.isdecimal() and len(number) <= len(str(MOST_PARTS))):
            raise UsageError(f"number: found {number!r}, allowed are 1 to {MOST_PARTS}")
        upload = repository.upload(thing.bucket, thing.key, _upload(request))
        with repository.stage(thing.bucket) as staged:
            staged.write(body)
            return {"etag": repository.put_part(upload, int(number), staged).etag}

    def _complete(self, request: Request, repository: Repository, thing: Thing, body: bytes) -> Any:  # noqa: ANN401
        try:
            etags = typed.decode(body, Parts).etags
        except msgspec.MsgspecError as error:
            raise UsageError(f"The list of parts: {error}") from error
        parts = [Named(number=n, etag=etag) for n, etag in enumerate(etags, start=1)]
        upload = _begun(repository, thing, _upload(request))
        made = repository.complete(upload, parts, _condition(request))
        return {"version": made.id, "etag": made.etag}

    def _abort(self, request: Request, repository: Repository, thing: Thing, _: bytes) -> Any:  # noqa: ANN401
        repository.abort(repository.upload(thing.bucket, thing.key, _upload(request)))
        return {}

    def _described(self, request: Request, repository: Repository, thing: Thing) -> Description:
        """What a visitor puts belongs to the bucket's owner."""
        return Description(
            owner=repository.bucket(thing.bucket).owner,
            headers={"content-type": type_of(thing.key)},
            provenance=self._desk.by(request, "uploaded"),
        )


def _begun(repository: Repository, thing: Thing, id_: str) -> Upload:
    """One that was completed, whose answer got lost, is known by its id alone."""
    try:
        return repository.upload(thing.bucket, thing.key, id_)
    except NoSuchUploadError:
        return Upload(bucket=thing.bucket, key=thing.key, id=id_, begun=0)


def part_size(size: int) -> int:
    """Of the parts of a file, so that they are not too many."""
    return max(PART, math.ceil(size / (MOST_PARTS - 1)))


def type_of(key: str) -> str:
    kind, packed = mimetypes.guess_type(key, strict=True)
    return kind if kind and not packed else "application/octet-stream"


def _condition(request: Request) -> Condition:
    """UsageError where a sender does not say what it has seen."""
    was = request.query_params.get("was")
    if was is None:
        raise UsageError("was: is missing; it is the ETag of what was seen, or empty")
    return Condition(if_match=(was,)) if was else Condition(if_none_match=(ANY,))


def _upload(request: Request) -> str:
    return request.query_params.get("upload", "")


async def _body(request: Request, most: int) -> bytes:
    """UsageError where it is larger."""
    pieces, size = list[bytes](), 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise UsageError(f"A request has {most} bytes at most.")
        pieces.append(piece)
    return b"".join(pieces)
