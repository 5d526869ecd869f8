"""Websockets: what is said comes back, and nobody hangs up without a word."""

import asyncio
import time

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from traffic.plan import Kind
from traffic.session import Session
from traffic.wire import BrokenError, strictly

SAY_SECONDS = 0.5
PAUSE_SECONDS = 0.2
GOODBYES = (1001, 1012)  # going away, service restart
ABNORMAL = 1006


class ClosedError(BrokenError):
    """The server hung up; `code` is 1006 when it said nothing."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed {code}")
        self.code = code


async def client(session: Session, kind: Kind, number: int) -> None:
    random = session.random(kind, number)
    while not session.ended.is_set():
        await _hold(session, kind, random.uniform(*session.plan.hold))
        await session.sleep(PAUSE_SECONDS)


async def _hold(session: Session, kind: Kind, seconds: float) -> None:
    """One websocket for so long: ok when it was still sound when this client closed it."""
    session.sent(kind)
    opened = time.monotonic()
    release, socket = "-", None
    try:
        socket = await _open(session)
        release = _release_of(socket)
        await _talk(session, socket, opened + seconds)
        session.book.ok(kind.name, release)
    except ClosedError as error:
        if _by_the_rules(session, error.code, opened):
            session.book.count(kind.name, "ended")
        else:
            session.book.failed(kind.name, error.what, release)
    except BrokenError as error:
        session.book.failed(kind.name, error.what, release)
    except asyncio.CancelledError:
        session.book.count(kind.name, "aborted")
        raise
    finally:
        if socket:
            await socket.close()


def _by_the_rules(session: Session, code: int, opened: float) -> bool:
    if code in GOODBYES:
        return session.may_say_goodbye(opened)
    return code == ABNORMAL and session.may_be_cut(opened)


async def _open(session: Session) -> ClientConnection:
    target = session.target
    scheme = "wss" if target.tls else "ws"
    try:
        async with strictly(session.plan.timeout):
            return await connect(
                f"{scheme}://{target.netloc}/ws",
                ssl=target.tls,
                proxy=None,
                compression=None,
                ping_interval=None,
                close_timeout=2,
            )
    except InvalidStatus as error:
        raise BrokenError(f"status {error.response.status_code}") from error
    except InvalidHandshake as error:
        raise BrokenError(f"handshake: {error}") from error


def _release_of(socket: ClientConnection) -> str:
    return socket.response.headers.get("X-Release", "-") if socket.response else "-"


async def _talk(session: Session, socket: ClientConnection, until: float) -> None:
    while not session.ended.is_set() and time.monotonic() < until:
        said = session.token()
        try:
            async with strictly(session.plan.timeout):
                await socket.send(said)
                heard = await socket.recv()
            if heard != said:
                raise BrokenError("wrong echo")
            await _listen(session, socket)
        except ConnectionClosed as error:
            raise ClosedError(error.rcvd.code if error.rcvd else ABNORMAL) from error


async def _listen(session: Session, socket: ClientConnection) -> None:
    """A silence in which the server may only hang up."""
    hung_up = asyncio.ensure_future(socket.wait_closed())
    ended = asyncio.ensure_future(session.ended.wait())
    try:
        await asyncio.wait(
            (hung_up, ended), timeout=SAY_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        hung_up.cancel()
        ended.cancel()
