"""What stands in the address of a request: read one by one, WishError says what is wrong."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from dayfly.clock import SECOND
from dayfly.config.units import Duration, UnitError
from dayfly.logs.answers import WishError
from dayfly.logs.query import instants
from dayfly.logs.store.store import EARLIEST, LATEST, Ask

MOST_SECONDS, USUAL_SECONDS = 600, 60
LONGEST = 1000  # characters of a name or the beginning of a value
BOUNDS = ("since", "until", "seconds")
_MOMENT = f"{instants.ALLOWED}, or how long ago, such as 2h"
Told = Mapping[str, str]


def each_once(request: Request) -> dict[str, str]:
    """Each parameter of a request; of one that is there twice nobody knows which is meant."""
    found = request.query_params
    for name in found:
        if len(found.getlist(name)) > 1:
            raise WishError(f"{name}: found more than once, allowed is once")
    return dict(found)


def refuse_unknown(told: Told, known: Sequence[str]) -> None:
    for name in told:
        if name not in known:
            raise WishError(f"{name}: no such parameter; allowed are {', '.join(known)}")


def bounds(told: Told, now: float, *, seconds: int = USUAL_SECONDS) -> Ask:
    """`since`, `until` and `seconds`."""
    return Ask(
        since=moment("since", told, now, EARLIEST),
        until=moment("until", told, now, LATEST),
        seconds=float(whole("seconds", told, seconds, MOST_SECONDS)),
        now=round(now * SECOND),
    )


def moment(name: str, told: Told, now: float, otherwise: int) -> int:
    """The first moment of a time, or so long ago."""
    text = told.get(name, "")
    if not text:
        return otherwise
    if found := instants.span(text):
        return found[0]
    try:
        return round((now - Duration.parse(text)) * SECOND)
    except UnitError as error:
        raise WishError(f"{name}: found {text!r}, allowed is {_MOMENT}") from error


def whole(name: str, told: Told, otherwise: int, most: int, least: int = 1) -> int:
    """A whole number; `otherwise` where it is not told."""
    text = told.get(name)
    if text is None:
        return otherwise
    if not (text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise WishError(f"{name}: found {text!r}, allowed is {least} to {most}")
    return int(text)


def needed(name: str, told: Told) -> str:
    text = told.get(name, "")
    if not text or len(text) > LONGEST:
        found = f"{len(text)} characters" if text else "nothing"
        raise WishError(f"{name}: found {found}, allowed are 1 to {LONGEST} characters")
    return text
