"""What a person said of a migration, and what the program answers."""

from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parents[1] / "database" / "labelled"
HARMLESS = ("none", "online")
BUDGET = 1.0  # seconds for which readers or writers may be blocked


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a person says of a migration."""

    name: str
    tool: str
    origin: str
    label: str
    loses: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    case: Verdict
    verdict: str
    findings: tuple[str, ...]
    seconds: float

    @property
    def right(self) -> bool:
        return self.verdict == self.case.label

    @property
    def missed(self) -> bool:
        """It breaks the outgoing release or loses data, and nobody is told."""
        return self.case.loses and self.verdict in HARMLESS

    @property
    def false_alarm(self) -> bool:
        return self.case.label in HARMLESS and self.verdict not in HARMLESS
