"""How the application misbehaves: words in MISBEHAVE or on the command line."""

from collections.abc import Iterable
from dataclasses import dataclass

MEGABYTE = 1024 * 1024


class BehaviourError(Exception):
    """A word that means nothing."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Well-behaved unless told otherwise. Times are seconds."""

    exits: bool = False  # at once, with status 3
    never_healthy: bool = False  # /healthz answers 503
    wrong_port: bool = False  # listens on the next that is free
    ignores_term: bool = False
    starts_after: float = 0.0
    dies_after: float = 0.0  # SIGKILL of itself, counted from listening
    latency: float = 0.0  # added to every answer but health
    errors: float = 0.0  # share of the answers but health that are a 500
    eats: float = 0.0  # megabytes per second


def parse(words: Iterable[str]) -> Behaviour:
    """`dies-after=3 wrong-port` as a Behaviour."""
    settings: dict[str, float | bool] = {}
    for word in words:
        name, _, value = word.partition("=")
        name = name.replace("-", "_")
        if name not in Behaviour.__dataclass_fields__:
            allowed = ", ".join(Behaviour.__dataclass_fields__).replace("_", "-")
            raise BehaviourError(f"{word}: allowed are {allowed}")
        settings[name] = float(value) if value else True
    return Behaviour(**settings)  # type: ignore[arg-type]
