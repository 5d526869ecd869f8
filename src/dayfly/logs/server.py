"""The log server: takes records in, and answers questions about them."""

import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware

from dayfly.errors import DayflyError
from dayfly.logs.answers import told
from dayfly.logs.asking import Asking
from dayfly.logs.feeding.feeds import Feeds
from dayfly.logs.guard import Guard
from dayfly.logs.intake.body import Room
from dayfly.logs.intake.elastic import Elastic
from dayfly.logs.intake.lines import Lines
from dayfly.logs.store.store import Store
from dayfly.logs.tokens import Tokens


def application(
    store: Store,
    *,
    token: str = "",
    senders: Tokens | None = None,
    room: Room | None = None,
    feeds: Feeds | None = None,
    now: Callable[[], float] = time.time,
) -> Starlette:
    """Everything behind one address. Without a token whoever reaches it may ask and send."""
    room = room or Room()
    questions = [*Asking(store, now).routes(), *(feeds.routes() if feeds else ())]
    routes = [
        *questions,
        *Lines(store, room).routes(),
        *Elastic(store, room, now).routes(),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token, senders=senders, questions=questions)],
        exception_handlers={DayflyError: told},
    )
