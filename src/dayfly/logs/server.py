"""The log server: takes records in, and answers questions about them."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from dayfly.errors import DayflyError
from dayfly.logs.answers import broken_off, failed, not_answered, only_asked, told
from dayfly.logs.asking import Asking
from dayfly.logs.feeding.feeds import Feeds
from dayfly.logs.guard import Guard
from dayfly.logs.intake.body import Room
from dayfly.logs.intake.elastic import Elastic
from dayfly.logs.intake.forwarded import Forwarded
from dayfly.logs.intake.hec import Hec
from dayfly.logs.intake.journal import Journal
from dayfly.logs.intake.jsonline import JsonLines
from dayfly.logs.intake.lines import Lines
from dayfly.logs.intake.loki import Loki
from dayfly.logs.intake.otlp import Otlp
from dayfly.logs.store.store import Store
from dayfly.logs.tokens import Tokens

Beside = Callable[[], AbstractAsyncContextManager[None]]


def application(  # noqa: PLR0913 - all that a server is put together from
    store: Store,
    *,
    token: str = "",
    senders: Tokens | None = None,
    room: Room | None = None,
    feeds: Feeds | None = None,
    now: Callable[[], float] = time.time,
    beside: Beside = nullcontext,
) -> Starlette:
    """Everything behind one address. Without a token whoever reaches it may ask and send.

    `beside` is what runs in the same event loop as long as the application does.
    """
    room = room or Room()
    asked = [*Asking(store, now).routes(), *(feeds.routes() if feeds else ())]
    questions = [each for each in asked if isinstance(each, Route)]
    routes = [
        *questions,
        *Lines(store, room).routes(),
        *Forwarded(store, room).routes(),
        *JsonLines(store, room, now).routes(),
        *Otlp(store, room, now).routes(),
        *Loki(store, room, now).routes(),
        *Hec(store, room, now).routes(),
        *Journal(store, room, now).routes(),
        *(Route(each.path, only_asked, methods=["PUT"]) for each in questions),
        *Elastic(store, room, now).routes(),  # the last, as it answers for any index
    ]
    return Starlette(
        routes=routes,
        lifespan=lambda _: beside(),
        middleware=[Middleware(Guard, token=token, senders=senders, questions=questions)],
        exception_handlers={
            DayflyError: told,
            ClientDisconnect: broken_off,
            HTTPException: not_answered,
            Exception: failed,
        },
    )
