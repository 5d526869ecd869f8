"""The server of the archive: what a request goes through, from its first line to its answer."""

import asyncio
import itertools
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from dayfly.errors import DayflyError
from dayfly.files.errors import FilesError, NoSuchBucketError
from dayfly.files.s3 import cors, glance, settings
from dayfly.files.s3.address import Address, address_of
from dayfly.files.s3.answer import Answer, Ready, names_place, ready, refusal, translated
from dayfly.files.s3.call import Call, call_of
from dayfly.files.s3.exchange import Piece
from dayfly.files.s3.form import form_of
from dayfly.files.s3.handlers import HANDLERS, STREAMED
from dayfly.files.s3.head import Head, Headers
from dayfly.files.s3.incoming import Incoming, Pieces
from dayfly.files.s3.operations import operation_of
from dayfly.files.s3.posting import of_form
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.proof import proof_of
from dayfly.files.s3.request import ANYBODY, Request, Service, caller_of
from dayfly.files.s3.rooms import Rooms
from dayfly.files.s3.taking import Taking
from dayfly.files.s3.watching import Watchers

MOST_DOCUMENT = 4 * 1024 * 1024  # bytes of a body that is XML or JSON
MOST_OF_ANYBODY = 64 * 1024  # the same of who shows no signature
MOST_READ = 64 * 1024  # bytes that are read at once of what is no large body
THREADS = 32
# Their checksums are those of an object, not of the body that is read here.
_OF_WHOLE = frozenset(
    ("CreateMultipartUpload", "CompleteMultipartUpload", "PutObjectCopy", "UploadPartCopy")
)
REQUEST_ID = "x-amz-request-id"
_GLANCED = {"GetObject": glance.get, "HeadObject": glance.head}
_NUMBERS = itertools.count(int.from_bytes(os.urandom(3)))
_LOG = logging.getLogger("files")
P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Server:
    """Whatever may wait for a disk is done in threads."""

    service: Service
    now: Callable[[], float] = time.time
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS))
    rooms: Rooms = field(default_factory=Rooms)
    incoming: memoryview = field(default_factory=lambda: memoryview(bytearray(MOST_READ)))
    watchers: Watchers = field(init=False)

    def __post_init__(self) -> None:
        self.watchers = Watchers(self.service.repository)

    def at_once(self, head: Head) -> Ready | None:
        """What can be answered without waiting for anything; None for all the rest."""
        if head.method not in ("GET", "HEAD"):
            return None
        request_id = fresh_id()
        try:
            call = self._call(head)
            if "origin" in call.headers:
                return None
            address = address_of(call.header("host"), call.path, self.service.domains)
            operation = operation_of(call, address)
            quick = _GLANCED.get(operation)
            return quick(self._request(call, address, operation), request_id) if quick else None
        except (S3Error, FilesError) as error:
            return ready(_refused(error, head, request_id), [(REQUEST_ID, request_id)])

    async def answered(self, head: Head, body: Pieces) -> Ready:
        """With the headers that go with any answer."""
        request_id = fresh_id()
        call, address = None, Address()
        try:
            call = self._call(head)
            address = address_of(call.header("host"), call.path, self.service.domains)
            answer = await self._answer(call, address, body)
        except Exception as error:  # noqa: BLE001 - the server's edge: whoever asks gets an answer
            answer = _refused(error, head, request_id)
        more = await self._for_browsers(call, address) if call else []
        return ready(answer, [*more, (REQUEST_ID, request_id)])

    def failed(self, error: BaseException) -> None:
        """Of what went wrong while an answer was on its way."""
        if not isinstance(error, ConnectionError | TimeoutError):
            _LOG.error("an answer broke off", exc_info=error)

    def _call(self, head: Head) -> Call:
        return call_of(
            head.method,
            head.path,
            head.query,
            head.headers,
            client=head.client,
            secure=head.secure,
        )

    def _request(self, call: Call, address: Address, operation: str) -> Request:
        now = self.now()
        caller = ANYBODY if operation == "PostObject" else caller_of(self.service, call, now)
        return Request(
            service=self.service,
            call=call,
            address=address,
            operation=operation,
            caller=caller,
            now=round(now * 1_000_000_000),
        )

    async def _answer(self, call: Call, address: Address, body: Pieces) -> Answer:
        if call.method == "OPTIONS":
            return await self._run(self._preflight, call, address)
        operation = operation_of(call, address)
        request = self._request(call, address, operation)
        if operation == "WatchBucket":
            self.watchers.check()
        if call.method in ("GET", "HEAD"):
            return await self._run(HANDLERS[operation], request, b"")
        self.rooms.bodies += 1
        try:
            return await self._with_body(request, Incoming(body, call, request.caller))
        finally:
            self.rooms.bodies -= 1

    async def _with_body(self, request: Request, incoming: Incoming) -> Answer:
        if request.operation == "PostObject":
            return await self._posted(request, incoming)
        if opener := STREAMED.get(request.operation):
            incoming.check_length()
            return await self._streamed(partial(opener, request), incoming)
        return await self._documented(request, incoming)

    async def _documented(self, request: Request, incoming: Incoming) -> Answer:
        of_object = request.operation not in _OF_WHOLE
        proof = proof_of(request.headers, request.caller.claim, of_object=of_object)
        most = MOST_DOCUMENT if request.caller.account else MOST_OF_ANYBODY
        body = await incoming.whole(most)
        proof.check_whole(body, incoming.trailers)
        return await self._run(HANDLERS[request.operation], request, body)

    async def _streamed(
        self, opener: Callable[[], AbstractContextManager[Taking]], incoming: Incoming
    ) -> Answer:
        """A small body needs one thread once; else who may not send it is told so before."""
        size = incoming.announced
        if size is not None and size <= self.rooms.piece and "expect" not in incoming.call.headers:
            pieces = [piece async for piece in incoming.pieces()]
            answer = await self._run(_at_once, opener, pieces, incoming)
            for piece in pieces:
                self.rooms.used(piece)
            return answer
        with_end = ExitStack()
        try:
            taking = await self._run(with_end.enter_context, opener())
            async for piece in self._gathered(incoming):
                await self._run(taking.write, piece)
                self.rooms.used(piece)
            return await self._run(taking.finish, incoming.trailers)
        finally:
            await asyncio.shield(self._run(with_end.close))

    async def _posted(self, request: Request, incoming: Incoming) -> Answer:
        form = form_of(request.headers.get("content-type", ""))
        with_end, taking = ExitStack(), None
        try:
            async for piece in self._gathered(incoming):
                parts = b"".join(form.feed(bytes(piece)))
                if form.begun and taking is None:
                    taking = await self._run(with_end.enter_context, of_form(request, form))
                if taking and parts:
                    await self._run(taking.write, parts)
            form.finish()
            if taking is None:
                raise S3Error("MalformedPOSTRequest")
            return await self._run(taking.finish, {})
        finally:
            await asyncio.shield(self._run(with_end.close))

    async def _gathered(self, incoming: Incoming) -> AsyncIterator[Piece]:
        """In pieces that are worth a thread's time."""
        held, size = list[Piece](), 0
        async for piece in incoming.pieces():
            held.append(piece)
            size += len(piece)
            if size >= self.rooms.piece:
                yield self._joined(held)
                held, size = [], 0
        if held:
            yield self._joined(held)

    def _joined(self, held: Sequence[Piece]) -> Piece:
        if len(held) == 1:
            return held[0]
        whole = b"".join(held)
        for each in held:
            self.rooms.used(each)
        return whole

    def _preflight(self, call: Call, address: Address) -> Answer:
        rules: tuple[cors.Rule, ...] = ()
        if address.bucket:
            rules = settings.cors_of(self.service.repository.bucket(address.bucket))
        return Answer(headers=cors.preflight(rules, call.headers))

    async def _for_browsers(self, call: Call, address: Address) -> Headers:
        if "origin" not in call.headers or not address.bucket or call.method == "OPTIONS":
            return []
        return await self._run(self._told, call, address.bucket)

    def _told(self, call: Call, bucket: str) -> Headers:
        try:
            rules = settings.cors_of(self.service.repository.bucket(bucket))
        except NoSuchBucketError:
            return []
        return cors.told(rules, call.headers, call.method)

    def _run(self, function: Callable[P, T], *told: P.args, **_: P.kwargs) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self.threads, function, *told)


def _at_once(
    opener: Callable[[], AbstractContextManager[Taking]],
    pieces: Sequence[Piece],
    incoming: Incoming,
) -> Answer:
    with opener() as taking:
        for piece in pieces:
            taking.write(piece)
        return taking.finish(incoming.trailers)


def fresh_id() -> str:
    """Of a request, by which it is found."""
    return f"{os.getpid():08X}{next(_NUMBERS) & 0xFFFFFFFF:08X}"


def _refused(error: Exception, head: Head, request_id: str) -> Answer:
    found = error if isinstance(error, S3Error) else _translated(error)
    resource = head.target.partition(b"?")[0].decode("latin-1")
    return refusal(found, resource, request_id, head=head.method == "HEAD")


def _translated(error: Exception) -> S3Error:
    """What is nobody's fault but ours is told in the log."""
    found = translated(error) if isinstance(error, FilesError) else S3Error("InternalError")
    said = isinstance(error, DayflyError)
    if found.code == "InternalError" or (isinstance(error, FilesError) and names_place(error)):
        _LOG.error("a request failed: %s", error, exc_info=None if said else error)
    return found
