"""What a visitor changes: each of it is asked for once more, sealed, and only as it was seen."""

from collections.abc import Callable
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.config.units import Duration, UnitError
from dayfly.console.files import versions
from dayfly.console.files.desk import Desk, host_of, thing_of
from dayfly.console.files.places import PATH, Thing
from dayfly.console.form import Told, form
from dayfly.errors import DayflyError, UsageError
from dayfly.files import sharing
from dayfly.files.condition import ANY, Condition
from dayfly.files.errors import ConditionError, NoSuchKeyError, NoSuchVersionError
from dayfly.files.objects import Bucket, Provenance, Trashed, Upload, Version
from dayfly.files.repository import Repository
from dayfly.files.sharing import Shared

WithLink = Callable[[Request, Repository, Thing, str], Response]
Change = Callable[[Request, Repository, Thing, Told], Response]
Question = Callable[[Request, Repository, Thing], Response]


class Changes:
    """A GET asks, a POST does."""

    def __init__(self, desk: Desk, with_link: WithLink) -> None:
        self._desk = desk
        self._with_link = with_link

    def routes(self, middleware: list[Middleware]) -> list[BaseRoute]:
        questions: dict[str, Question] = {
            "restore": self._ask_restore,
            "delete": self._ask_delete,
            "discard": self._ask_discard,
        }
        changes: dict[str, Change] = {
            "restore": self._restore,
            "delete": self._delete,
            "discard": self._discard,
            "link": self._link,
        }
        return [
            *(
                Route(f"{PATH}/{name}", self._asking(ask), middleware=middleware)
                for name, ask in questions.items()
            ),
            *(
                Route(f"{PATH}/{name}", self._doing(do), methods=["POST"], middleware=middleware)
                for name, do in changes.items()
            ),
        ]

    def _asking(self, ask: Question) -> Callable[[Request], object]:
        def asked(request: Request) -> Response:
            try:
                with self._desk.state.archive().opened() as repository:
                    return ask(request, repository, thing_of(request))
            except DayflyError as error:
                return self._desk.problem(error)

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(asked, request)

        return endpoint

    def _doing(self, change: Change) -> Callable[[Request], object]:
        def done(request: Request, told: Told) -> Response:
            thing = Thing.of(request.query_params)
            try:
                with self._desk.state.archive().opened() as repository:
                    return change(request, repository, thing_of(request), told)
            except (ConditionError, NoSuchKeyError):
                error = ConditionError(f"{thing.name}: somebody else has changed it meanwhile")
                error.hint = "Look at it again; nothing was changed."
                return self._desk.problem(error, thing.folder)
            except DayflyError as error:
                return self._desk.problem(error, thing.folder)

        async def endpoint(request: Request) -> Response:
            told = await form(request)
            if not self._desk.sealed(request, told.get("seal", "")):
                return self._desk.refused()
            return await run_in_threadpool(done, request, told)

        return endpoint

    def _ask_restore(self, request: Request, repository: Repository, thing: Thing) -> Response:
        trashed = request.query_params.get("trashed", "")
        found = _version(repository, thing, trashed)
        more = {"trashed": trashed} if trashed else {}
        current = versions.present(repository, thing)
        bucket = repository.bucket(thing.bucket)
        return self._desk.page(
            "files_sure.html",
            thing=thing,
            title=f"Restore {thing.name}?",
            version=found,
            current=current,
            action=thing.address("restore", was=versions.was(current), **more),
            word="Restore",
            says=_becomes(bucket, current),
            who=self._desk.who(request),
            seal=self._desk.seal(request),
        )

    def _ask_delete(self, request: Request, repository: Repository, thing: Thing) -> Response:
        current = repository.head(thing.bucket, thing.key)
        bucket = repository.bucket(thing.bucket)
        return self._desk.page(
            "files_sure.html",
            thing=thing,
            title=f"Delete {thing.name}?",
            version=current,
            current=current,
            action=thing.address("delete", was=current.etag),
            word="Delete",
            says=versions.consequence(bucket, current),
            who=self._desk.who(request) if bucket.versioning else "",
            seal=self._desk.seal(request),
        )

    def _restore(
        self, request: Request, repository: Repository, thing: Thing, _told: Told
    ) -> Response:
        told = request.query_params
        condition = _as_seen(told.get("was", ""))
        by = self._desk.by(request, "restored")
        if uid := told.get("trashed", ""):
            repository.care.restore(_trashed(repository, thing, uid), condition, by)
        else:
            _again(repository, thing, condition, by)
        return RedirectResponse(replace(thing, version="").address(), 303)

    def _delete(
        self, request: Request, repository: Repository, thing: Thing, _told: Told
    ) -> Response:
        condition = Condition(if_match=(request.query_params.get("was", ""),))
        by = self._desk.by(request, "deleted")
        repository.delete(thing.bucket, thing.key, None, condition, by=by)
        return RedirectResponse(thing.folder.address(gone=thing.key), 303)

    def _ask_discard(self, request: Request, repository: Repository, thing: Thing) -> Response:
        upload = _upload(request, repository, thing)
        return self._desk.page(
            "files_sure.html",
            thing=thing,
            title=f"Discard the upload of {thing.name}?",
            version=None,
            current=None,
            action=thing.address("discard", upload=upload.id),
            word="Discard",
            says="Whoever still sends it is refused from then on; what is stored there stays.",
            who="",
            seal=self._desk.seal(request),
        )

    def _discard(
        self, request: Request, repository: Repository, thing: Thing, _told: Told
    ) -> Response:
        repository.abort(_upload(request, repository, thing))
        return RedirectResponse(thing.folder.address(), 303)

    def _link(self, request: Request, repository: Repository, thing: Thing, told: Told) -> Response:
        shared = Shared(
            bucket=thing.bucket,
            key=thing.key,
            version=thing.version,
            seconds=_seconds(told.get("duration", "")),
        )
        link = sharing.link(self._desk.state.archive(), repository, shared, host_of(request))
        return self._with_link(request, repository, thing, link)


def _upload(request: Request, repository: Repository, thing: Thing) -> Upload:
    return repository.upload(thing.bucket, thing.key, request.query_params.get("upload", ""))


def _again(repository: Repository, thing: Thing, condition: Condition, by: Provenance) -> None:
    """All that was said about a version goes along, with who brought it back."""
    found = _version(repository, thing, "")
    told = replace(found.description, restored_from=found.id, provenance=by)
    repository.copy(found, thing.bucket, thing.key, told, condition)


def _version(repository: Repository, thing: Thing, trashed: str) -> Version:
    if trashed:
        return _trashed(repository, thing, trashed).version
    found = repository.head(thing.bucket, thing.key, thing.version)
    if found.marker:
        raise UsageError("This version is a deletion.", hint="Restore one of the others.")
    return found


def _trashed(repository: Repository, thing: Thing, uid: str) -> Trashed:
    for each in repository.care.trash(thing.bucket):
        if (each.version.key, each.version.uid) == (thing.key, uid):
            return each
    raise NoSuchVersionError(f"{thing.name}: is not in the trash any more")


def _as_seen(was: str) -> Condition:
    """Nothing was there, or this."""
    return Condition(if_match=(was,)) if was else Condition(if_none_match=(ANY,))


def _becomes(bucket: Bucket, current: Version | None) -> str:
    after = versions.consequence(bucket, current) if current else "Nothing is there now."
    return f"It becomes the current version. {after}"


def _seconds(text: str) -> float:
    try:
        return float(Duration.parse(text.strip()))
    except UnitError as error:
        raise UsageError(f"duration: found {text!r}", hint=f"{error.message}.") from error
