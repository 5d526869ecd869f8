"""When a connection that is down is made anew."""

from collections import Counter
from dataclasses import dataclass, field

FIRST_SECONDS = 0.3  # that the side which does not lead waits for the other one to connect
AGAIN_SECONDS = 1.0  # that a connection may be down before it is made anew …
LONGEST_SECONDS = 10.0  # … and at last, when it fails again and again


@dataclass
class Waiting:
    """When each connection that is down is to be made."""

    leads: bool
    due: dict[str, float] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)

    def anew(self, name: str) -> None:
        """It is made to another address by now: that one has failed never yet."""
        self.due.pop(name, None)
        self.tries.pop(name, None)

    def ready(self, down: list[str], now: float, *, first: bool) -> list[str]:
        """Those whose time has come; they are given a while before they are tried again."""
        for name in [name for name in self.due if name not in down]:
            del self.due[name]
            del self.tries[name]
        patience = FIRST_SECONDS if first and not self.leads else AGAIN_SECONDS
        for name in down:
            self.due.setdefault(name, now + patience)
        ready = [name for name, at in self.due.items() if at <= now]
        for name in ready:
            self.tries[name] += 1
            self.due[name] = now + min(AGAIN_SECONDS * 1.5 ** self.tries[name], LONGEST_SECONDS)
        return ready
