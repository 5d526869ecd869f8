"""The pages and the way in. Everything shown was written by others and is escaped."""

import time
from collections.abc import Collection
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from dayfly import progress
from dayfly.console import chart, impact, lanes, outputs
from dayfly.console.files import pages as files
from dayfly.console.guard import Guard
from dayfly.console.live import changes
from dayfly.console.logs.pages import LogPages
from dayfly.console.session import SESSION_SECONDS, Sessions
from dayfly.console.state import State
from dayfly.console.templating import templates
from dayfly.progress import Progress

_RELEASES = 15  # on the overview
_REMEMBERED = 4  # releases whose progress is kept


def routes(state: State, sessions: Sessions, hosts: Collection[str]) -> list[BaseRoute]:
    """All routes of the console. `hosts` are the names it answers to, without a port."""
    pages = _Pages(state, sessions)

    def guarded(refusal: Response | None) -> list[Middleware]:
        return [Middleware(Guard, sessions=sessions, hosts=hosts, refusal=refusal)]

    inside, door = guarded(pages.refused), guarded(None)
    static = StaticFiles(packages=[("dayfly.console", "static")])
    return [
        Route("/", pages.overview, middleware=inside),
        Route("/releases/{number:int}", pages.release, middleware=inside),
        Route("/releases/{number:int}/database", pages.database, middleware=inside),
        Route("/live", pages.live, middleware=inside),
        *LogPages(state, sessions, pages.templates).routes(inside),
        *files.routes(state, sessions, pages.templates, inside),
        Route("/enter", pages.enter, middleware=door),
        Mount("/static", static, middleware=door),
    ]


class _Pages:
    """The pages of one environment."""

    def __init__(self, state: State, sessions: Sessions) -> None:
        self._state = state
        self._sessions = sessions
        self.templates = templates()
        self._progress: dict[int, Progress] = {}
        self.refused = self._page(
            "message.html",
            401,
            title="The door is closed",
            text="`dayfly console` on the server prints a link that opens it. A link is good once,"
            " and a visit ends after twelve hours.",
        )

    async def overview(self, _request: Request) -> Response:
        return await run_in_threadpool(self._overview)

    async def release(self, request: Request) -> Response:
        return await run_in_threadpool(self._release, request.path_params["number"])

    async def database(self, request: Request) -> Response:
        return await run_in_threadpool(self._database, request.path_params["number"])

    async def live(self, request: Request) -> Response:
        asked = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        release = request.query_params.get("release", "")
        stream = changes(
            self._state,
            int(asked) if asked.isdecimal() else 0,
            int(release) if release.isdecimal() else None,
        )
        return StreamingResponse(stream, media_type="text/event-stream")

    async def enter(self, request: Request) -> Response:
        """A page, not a redirect: after a redirect from elsewhere a Strict cookie stays away."""
        value = self._sessions.enter(request.query_params.get("code", ""))
        if value is None:
            return self.refused
        page = self._page("entered.html", 200)
        page.set_cookie(
            self._sessions.cookie,
            value,
            max_age=SESSION_SECONDS,
            path="/",
            httponly=True,
            samesite="strict",
            secure=self._sessions.secure,
        )
        return page

    def _overview(self) -> Response:
        last = self._state.newest()  # before the rest is read, so that nothing after it is missed
        newest = self._state.releases(None, _RELEASES)
        return self._page(
            "overview.html",
            200,
            status=self._state.status(),
            releases=newest,
            running=[entry for entry in newest if entry["outcome"] == "running"],
            now=time.time(),
            after=last,
        )

    def _release(self, number: int) -> Response:
        receipt = self._state.receipt(number)
        if receipt is None:
            return self._nowhere(number)
        now, told = time.time(), self._told(number)
        return self._page(
            "release.html",
            200,
            receipt=receipt,
            progress=told,
            bars=chart.bars(told, now),
            chart=chart.traffic(told),
            size=(chart.WIDTH, chart.HEIGHT),
            impact=impact.page(receipt, told),
            outputs=outputs.outputs(receipt),
            status=self._state.status(),
            after=told.last,
        )

    def _database(self, number: int) -> Response:
        receipt = self._state.receipt(number)
        if receipt is None:
            return self._nowhere(number)
        told = self._told(number)
        return self._page(
            "database.html",
            200,
            receipt=receipt,
            progress=told,
            impact=impact.page(receipt, told),
            sizes=(lanes.HEAD, lanes.LANE),
            now=time.time(),
            status=self._state.status(),
            after=told.last,
        )

    def _nowhere(self, number: int) -> Response:
        text = f"There is no release {number}."
        return self._page("message.html", 404, title="Not here", text=text)

    def _told(self, number: int) -> Progress:
        """The progress of a release; only its new events are read, for it is asked for often."""
        known = self._progress.pop(number, Progress())
        for event in self._state.history(number, known.last):
            known = progress.after(known, event)
        self._progress[number] = known
        while len(self._progress) > _REMEMBERED:
            self._progress.pop(next(iter(self._progress)), None)
        return known

    def _page(self, template: str, code: int, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
        return HTMLResponse(self.templates.get_template(template).render(**values), code)
