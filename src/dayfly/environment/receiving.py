"""Taking source in: a bundle that may come in several pieces, where the connection breaks."""

import asyncio
import hashlib
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from dayfly.durable import translated
from dayfly.environment.environment import Environment
from dayfly.errors import UsageError

FOLDER = "uploads"  # of what has not arrived whole
BROKEN = 400
OLDEST = 86400.0  # seconds; what nobody went on with is removed
Receive = Callable[[str, Path], str]

_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What a request sends of a file, which is named by its own SHA-256."""

    name: str
    offset: int
    length: int  # of the whole


async def take_bundle(environment: Environment, request: Request) -> Response:
    """Write the bundle to disk as it comes, then let git look at it."""
    return await taken(environment.parts.home.run, environment.parts.sources.receive, request)


def received(environment: Environment, request: Request) -> dict[str, Any]:
    return {"offset": here(environment.parts.home.run, request.path_params["name"])}


async def taken(folder: Path, receive: Receive, request: Request) -> Response:
    """A bundle in `folder` until it is whole; `receive` is given the app and the file."""
    app, piece = request.path_params["app"], piece_of(request)
    if piece is None:
        return await _at_once(folder, receive, request)
    path = _part(folder, piece.name)
    try:
        await _written(path, piece, request)
    except ClientDisconnect:
        return Response(status_code=BROKEN)  # which nobody reads; the rest may come later
    await run_in_threadpool(_require_whole, path, piece)
    try:
        commit = await run_in_threadpool(receive, app, path)
    finally:
        path.unlink(missing_ok=True)
    return JSONResponse({"commit": commit})


def here(folder: Path, name: str) -> int:
    """How much of a file is here already."""
    return _size(_part(folder, _named(name)))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def piece_of(request: Request) -> Piece | None:
    """None where a whole file is sent; UsageError for headers that don't fit."""
    name = request.headers.get("upload-id")
    if name is None:
        return None
    try:
        offset, length = (int(request.headers[f"upload-{key}"]) for key in ("offset", "length"))
    except (KeyError, ValueError) as error:
        raise UsageError("Upload-Offset and Upload-Length have to be whole numbers") from error
    if not 0 <= offset <= length:
        raise UsageError(f"Upload-Offset: found {offset}, allowed are 0 to {length}")
    return Piece(name=_named(name), offset=offset, length=length)


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError("an upload is named by the SHA-256 of its file")
    return name


async def _at_once(folder: Path, receive: Receive, request: Request) -> Response:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".bundle") as file:
        async for chunk in request.stream():
            await asyncio.to_thread(file.write, chunk)
        file.flush()
        commit = await run_in_threadpool(receive, request.path_params["app"], Path(file.name))
    return JSONResponse({"commit": commit})


async def _written(path: Path, piece: Piece, request: Request) -> None:
    """Two that send the same piece write the same bytes at the same place."""
    size = _size(path)
    if piece.offset > size:
        raise UsageError(f"Upload-Offset: found {piece.offset}, only {size} bytes are here")
    with translated(path), path.open("r+b" if size else "w+b") as file:
        file.seek(piece.offset)
        at = piece.offset
        async for chunk in request.stream():
            at += len(chunk)
            if at > piece.length:
                raise UsageError(f"more than the {piece.length} bytes of Upload-Length came")
            await asyncio.to_thread(file.write, chunk)


def _require_whole(path: Path, piece: Piece) -> None:
    with translated(path), path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != piece.name:
        if path.stat().st_size >= piece.length:
            path.unlink()
        raise UsageError("what arrived is not the file that was named; send it again")


def _part(above: Path, name: str) -> Path:
    """Where it lies; what is long forgotten goes."""
    folder = above / FOLDER
    with translated(folder):
        folder.mkdir(exist_ok=True, mode=0o700)
        for path in folder.iterdir():
            if path.name != name and time.time() - path.stat().st_mtime > OLDEST:
                path.unlink(missing_ok=True)
    return folder / name
