"""What can go wrong, in words for the person who has to act on it."""


class DayflyError(Exception):
    """Refused or failed. `hint` says what to do next; the edge prints both and exits with 1."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DayflyError):
    """The command line itself is wrong; the edge exits with 2."""


class StoppedError(DayflyError):
    """Somebody asked for the work to stop, and it did."""
