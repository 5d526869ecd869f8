"""What keeps an app's new requests from every fleet for a while: a hold, or a closed door.

A held request waits in HAProxy and is answered afterwards; a closed app answers with a page.
"""

from dataclasses import replace

from dayfly.balancer.routing import NAME, BalancerError, Routing, without

HOLD_SECONDS = 30  # the longest hold; clients and HAProxy itself wait a minute
PAGE_BYTES = 128 * 1024
RETRY_SECONDS = 30  # what a closed app tells its clients to wait
DEFAULT_PAGE = "closed.html"


def holding(routing: Routing, app: str, until: int) -> Routing:
    """With the app's new requests waiting until that moment (ms since the epoch) at the latest."""
    return replace(routing, holds={**routing.holds, _named(app): until})


def let_go(routing: Routing, app: str) -> Routing:
    return replace(routing, holds=without(routing.holds, app))


def lasting(routing: Routing, now: int) -> Routing:
    """Without the holds that are over."""
    return replace(routing, holds={app: at for app, at in routing.holds.items() if at > now})


def closing(routing: Routing, app: str, page: str) -> Routing:
    """With a page for every new request of the app, and none waiting; "" is our own page."""
    size = len(page.encode())
    if size > PAGE_BYTES:
        raise BalancerError(
            f"the page of {app} has {size:,} bytes, {PAGE_BYTES:,} are allowed",
            hint="Let it name its pictures by addresses that are not of this app.",
        )
    return replace(let_go(routing, app), closed={**routing.closed, _named(app): page})


def reopened(routing: Routing, app: str) -> Routing:
    return replace(routing, closed=without(routing.closed, app))


def milliseconds(app: str, seconds: float) -> int:
    """Of a hold, once it is found reasonable."""
    if not 0 < seconds <= HOLD_SECONDS:
        raise BalancerError(
            f"{app} can't be held for {seconds:g} s: more than 0 and at most {HOLD_SECONDS} s"
        )
    return int(seconds * 1000)


def page_file(app: str, page: str) -> str:
    """Where the page of a closed app lies in the balancer's folder."""
    return f"pages/{app}.html" if page else DEFAULT_PAGE


def _named(app: str) -> str:
    if not NAME.fullmatch(app):
        raise BalancerError(f"app name {app!r}: letters, digits, '_', '.' and '-' are allowed")
    return app
