"""Which apps are built just now."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class AtWork:
    """While an app is built its layers belong to no image yet, and must not go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._apps = Counter[str]()

    @contextmanager
    def on(self, app: str) -> Iterator[None]:
        with self._lock:
            self._apps[app] += 1
        try:
            yield
        finally:
            with self._lock:
                self._apps[app] -= 1

    @contextmanager
    def nobody_on(self, app: str) -> Iterator[bool]:
        """Whether it is so; a build that begins meanwhile waits until the block is left."""
        with self._lock:
            yield not self._apps[app]
