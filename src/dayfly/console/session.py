"""Who may look: a one-time code from the command line becomes a session in a browser.

Sessions are signed, not stored, so that they outlive a restart of the server.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

CODE_SECONDS = 10 * 60
SESSION_SECONDS = 12 * 60 * 60
LONGEST_WHO = 100  # characters


class Sessions:
    """Codes that are good once, and the cookies they turn into.

    The cookie's name carries a trace of the key: browsers share cookies between the ports of a
    host, and two environments on one machine must not log each other out.
    """

    def __init__(
        self, key: bytes, *, secure: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = key
        self._clock = clock
        self._codes: dict[str, tuple[float, str]] = {}  # code → when it expires, and of whom
        self.secure = secure
        trace = hashlib.sha256(b"name" + key).hexdigest()[:8]
        self.cookie = f"{'__Host-' if secure else ''}dayfly-{trace}"

    def code(self, who: str = "") -> str:
        """A new one-time code, good for ten minutes; what its visit changes is told as theirs."""
        now = self._clock()
        self._codes = {code: told for code, told in self._codes.items() if told[0] > now}
        code = secrets.token_urlsafe(24)
        self._codes[code] = now + CODE_SECONDS, who[:LONGEST_WHO]
        return code

    def enter(self, code: str) -> str | None:
        """The value of a new session's cookie; None when the code is not, or no longer, good."""
        expires, who = self._codes.pop(code, (0.0, ""))
        if expires <= self._clock():
            return None
        named = base64.urlsafe_b64encode(who.encode(errors="replace")).decode().rstrip("=")
        claim = f"{int(self._clock()) + SESSION_SECONDS}.{secrets.token_urlsafe(12)}.{named}"
        return f"{claim}.{self._signature(claim)}"

    def knows(self, value: str) -> bool:
        claim, _, signature = value.rpartition(".")
        right = hmac.compare_digest(signature.encode(), self._signature(claim).encode())
        return right and int(claim.partition(".")[0]) > self._clock()

    def who(self, value: str) -> str:
        """Whose session a known value is of; empty where nobody was named."""
        claim, _, _ = value.rpartition(".")
        named = f"{claim}..".split(".")[2]
        return base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()

    def seal(self, value: str) -> str:
        """What the forms of a session carry, so that no other page can send one in its name."""
        key = hashlib.sha256(b"forms" + self._key).digest()
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()

    def sealed(self, value: str, seal: str) -> bool:
        return hmac.compare_digest(seal.encode(), self.seal(value).encode())

    def _signature(self, claim: str) -> str:
        return hmac.new(self._key, claim.encode(), hashlib.sha256).hexdigest()
