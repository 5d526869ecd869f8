"""What all pages of the files share: who is there, if a form is of their visit, what failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from dayfly.console.files.places import Folder, Thing, seen
from dayfly.console.guard import POLICY
from dayfly.console.session import Sessions
from dayfly.console.state import State
from dayfly.errors import DayflyError, UsageError
from dayfly.files import errors
from dayfly.files.objects import Provenance

SEAL = "x-dayfly-seal"  # the header that says what a form's field says
NOBODY = "somebody in the console"
FRAMES = f"{POLICY}; frame-src 'self'"  # of a page that shows a PDF
AWAY = 503
_STATUS: Mapping[type[Exception], int] = {
    DayflyError: AWAY,  # whatever else keeps the archive from answering
    UsageError: 400,
    errors.ChecksumError: 400,
    errors.BadNameError: 400,
    errors.BadPartError: 400,
    errors.PartOrderError: 400,
    errors.PartTooSmallError: 400,
    errors.NoSuchBucketError: 404,
    errors.NoSuchKeyError: 404,
    errors.NoSuchVersionError: 404,
    errors.NoSuchUploadError: 404,
    errors.MarkerError: 404,
    errors.ConditionError: 412,
    errors.LockedError: 403,
    errors.LeasedError: 423,
    errors.LostError: 500,
    errors.NoRoomError: 507,
}
REFUSED = 403
OTHER_VISIT = "This form is not of your visit: open the page again."


@dataclass(frozen=True)
class Desk:
    state: State
    sessions: Sessions
    templates: Environment

    def who(self, request: Request) -> str:
        return self.sessions.who(self._visit(request)) or NOBODY

    def by(self, request: Request, what: str) -> Provenance:
        """Of what a visitor changes."""
        return Provenance(who=self.who(request), source=f"{what} in the console")

    def seal(self, request: Request) -> str:
        return self.sessions.seal(self._visit(request))

    def sealed(self, request: Request, seal: str) -> bool:
        """Whether a page of this visit sent it. Who may only look sends nothing."""
        return self.sessions.sealed(self._visit(request), seal)

    def page(
        self,
        template: str,
        status: int = 200,
        *,
        policy: str = POLICY,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> Response:
        found = self.templates.get_template(template).render(Folder=Folder, seen=seen, **values)
        return HTMLResponse(
            found.encode(errors="replace"), status, {"Content-Security-Policy": policy}
        )

    def problem(self, error: DayflyError, folder: Folder | None = None) -> Response:
        status = status_of(error)
        title = "Not done" if folder or status != AWAY else "The files are not here"
        return self.page("files_problem.html", status, title=title, problem=error, folder=folder)

    def refused(self) -> Response:
        error = DayflyError(OTHER_VISIT)
        return self.page(
            "files_problem.html", REFUSED, title="Not done", problem=error, folder=None
        )

    def _visit(self, request: Request) -> str:
        return request.cookies.get(self.sessions.cookie, "")


def status_of(error: DayflyError) -> int:
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def told(error: DayflyError) -> JSONResponse:
    """To a script."""
    said = {"error": error.message, "hint": error.hint}
    return JSONResponse(said, status_of(error))


def not_sealed() -> JSONResponse:
    return JSONResponse({"error": OTHER_VISIT, "hint": ""}, REFUSED)


def host_of(request: Request) -> str:
    """The name by which the visitor came to this host."""
    return urlsplit(str(request.url)).hostname or "localhost"


def thing_of(request: Request) -> Thing:
    """UsageError where no object is named."""
    thing = Thing.of(request.query_params)
    if not (thing.bucket and thing.key):
        raise UsageError("The address names no object.", hint="Begin at the list of buckets.")
    return thing
