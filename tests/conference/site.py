"""Where visitors and organisers go."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    port: int
    talks: Sequence[str]  # their codes; the first one is "Talk number 1"
    sessions: Sequence[str]  # the cookie of each organiser who has signed in
