"""The routes of the logs. The query language is loaded with the first of these pages."""

from collections.abc import AsyncIterator, Generator, Mapping
from typing import Any

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Route

from dayfly.console.form import Told, form
from dayfly.console.logs import alerts, narrowing, page, records, saved
from dayfly.console.logs.view import LONGEST, PATH, RANGES, View
from dayfly.console.session import Sessions
from dayfly.console.state import State
from dayfly.errors import DayflyError
from dayfly.logs.query import instants
from dayfly.logs.query.problem import QueryError


class LogPages:
    """A page is sent as it is found: records first, then bars, then facets."""

    def __init__(self, state: State, sessions: Sessions, templates: Environment) -> None:
        self._state = state
        self._sessions = sessions
        self._templates = templates

    def routes(self, middleware: list[Middleware]) -> list[BaseRoute]:
        return [
            Route(PATH, self.logs, middleware=middleware),
            Route(f"{PATH}/saved", self.saved, methods=["POST"], middleware=middleware),
            Route(f"{PATH}/records", self.records, middleware=middleware),
            Route(f"{PATH}/around", self.around, middleware=middleware),
            Route(f"{PATH}/compare", self.compare, middleware=middleware),
            Route(f"{PATH}/complete", self.complete, middleware=middleware),
        ]

    async def logs(self, request: Request) -> Response:
        told = dict(request.query_params)
        return await run_in_threadpool(self._logs, told, seal=self._seal(request))

    async def saved(self, request: Request) -> Response:
        """Keeps a search, or forgets one."""
        told = await form(request)
        if not self._sessions.sealed(self._visit(request), told.get("seal", "")):
            return self._refused(403, "This form is not of your visit: open the page again.")
        try:
            return await run_in_threadpool(self._saved, told)
        except DayflyError as error:
            return self._refused(400, error.message)

    async def records(self, request: Request) -> Response:
        """The records alone, for a page that is live."""
        return await run_in_threadpool(self._logs, dict(request.query_params), "log_found.html")

    async def compare(self, request: Request) -> Response:
        return await run_in_threadpool(self._compare, dict(request.query_params))

    async def complete(self, request: Request) -> Response:
        return await run_in_threadpool(self._complete, dict(request.query_params))

    async def around(self, request: Request) -> Response:
        return await run_in_threadpool(self._around, dict(request.query_params))

    def _visit(self, request: Request) -> str:
        return request.cookies.get(self._sessions.cookie, "")

    def _seal(self, request: Request) -> str:
        return self._sessions.seal(self._visit(request))

    def _refused(self, status: int, text: str) -> Response:
        page = self._templates.get_template("message.html")
        return HTMLResponse(page.render(title="Not saved", text=text), status)

    def _saved(self, told: Told) -> Response:
        view, path = View.of(told), self._state.searches()
        if told.get("forget"):
            saved.forget(path, told["forget"])
        else:
            saved.keep(path, told.get("name", ""), view)
        return RedirectResponse(view.address(), 303)

    def _logs(self, told: Told, template: str = "logs.html", seal: str = "") -> Response:
        view = View.of(told)
        beside = {
            "seal": seal,
            "saved": self._searches(),
            "alerts": alerts.shown(self._state.alerts()),
        }
        try:
            if narrowed := _narrowed(view, told):
                return RedirectResponse(narrowed.address(), 303)
            asked = page.asked(self._state, view)
            return self._sent(template, 200, view, asked=asked, **beside)
        except QueryError as error:
            problem = page.problem_of(error)
            return self._sent("logs.html", 400, view, asked=None, problem=problem, **beside)

    def _searches(self) -> Mapping[str, Any]:
        try:
            return {"searches": saved.load(self._state.searches()), "problem": ""}
        except DayflyError as error:
            return {"searches": [], "problem": error.message}

    def _around(self, told: Told) -> Response:
        return self._sent("around.html", 200, View.of(told), lines=page.around(self._state, told))

    def _compare(self, told: Told) -> Response:
        view = View.of({"since": "", **told, "query": told.get("query") or page.ERRORS})
        releases = told.get("before", ""), told.get("after", "")
        given, status, found = all(releases), 200, None
        try:
            if given:
                found = page.compared(self._state, view, releases)
        except QueryError as error:
            status, found = 400, page.problem_of(error)
        return self._sent("compare.html", status, view, releases=releases, found=found)

    def _complete(self, told: Told) -> Response:
        text = told.get("text", "")[:LONGEST]
        return JSONResponse(page.completions(self._state, text, View.of(told)))

    def _sent(
        self,
        template: str,
        status: int,
        view: View,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> Response:
        stream = self._templates.get_template(template).generate(
            view=view,
            ranges=RANGES,
            more=page.MORE,
            exactly=instants.to_the_millisecond,
            tone_of=records.tone,
            **values,
        )
        return StreamingResponse(_encoded(page.pieces(stream)), status, media_type="text/html")


def _narrowed(view: View, told: Told) -> View | None:
    """What a click on a value asks for."""
    if told.get("count"):
        return view.toggled(told["count"])
    for name, change in (("include", narrowing.included), ("exclude", narrowing.excluded)):
        if told.get(name):
            return view.but(query=change(view.query, told[name]))
    return None


async def _encoded(texts: Generator[str]) -> AsyncIterator[bytes]:
    """In threads, since the store is waited for; closed at once when the visitor leaves."""
    try:
        while (text := await run_in_threadpool(next, texts, None)) is not None:
            yield text.encode(errors="replace")
    finally:
        texts.close()
