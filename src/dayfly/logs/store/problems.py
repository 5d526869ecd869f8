"""What the store says when it can't do what is asked."""

from dayfly.errors import DayflyError


class StoreError(DayflyError):
    """The store can't be opened, read or written."""


class BodyError(StoreError):
    """What was sent is no newline JSON of records; none of it was taken."""


class StoreFullError(StoreError):
    """There is no room for more; what is stored can still be asked for."""
