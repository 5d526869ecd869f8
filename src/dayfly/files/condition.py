"""What has to hold of an object before it is read or changed."""

from dataclasses import dataclass

from dayfly.clock import SECOND
from dayfly.files.errors import ConditionError, NoSuchKeyError
from dayfly.files.objects import Version

ANY = "*"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """ETags stand without quotation marks; `size` and `modified` are those of DELETE.

    `check` looks at all but the token, which is compared with the lease of the key.

    HTTP's times are whole seconds, so a time is compared by seconds.
    """

    if_match: tuple[str, ...] = ()
    if_none_match: tuple[str, ...] = ()
    if_unmodified_since: int | None = None
    size: int | None = None
    modified: int | None = None
    token: int | None = None  # of the lease that allows the writer to write

    @property
    def of_state(self) -> bool:
        """Whether it matters what others have done."""
        return self != Condition(token=self.token)

    def check(self, current: Version | None) -> None:
        """Raise ConditionError, or NoSuchKeyError where something is asked of an absent object."""
        wanted = (self.if_match, self.if_unmodified_since, self.size, self.modified)
        if current is None or current.marker:
            if wanted != ((), None, None, None):
                raise NoSuchKeyError("no object has this key, but the request asks for its state")
            return
        if self.if_match and not _named(self.if_match, current):
            raise ConditionError(f"{current.key}: its ETag is {current.etag}, not as asked for")
        if _named(self.if_none_match, current):
            raise ConditionError(f"{current.key}: is there, with the ETag {current.etag}")
        seconds = current.modified // SECOND
        if self.if_unmodified_since is not None and seconds > self.if_unmodified_since // SECOND:
            raise ConditionError(f"{current.key}: was modified since")
        if self.size not in (None, current.size):
            raise ConditionError(f"{current.key}: has {current.size} bytes, not {self.size}")
        if self.modified is not None and seconds != self.modified // SECOND:
            raise ConditionError(f"{current.key}: was modified at another time")

    def names(self, state: Version) -> bool:
        """Whether it asks for this very state, by more than that there is one."""
        if set(self.if_match) <= {ANY} and self.size is None and self.modified is None:
            return False
        try:
            self.check(state)
        except ConditionError:
            return False
        return True


ALWAYS = Condition()


def _named(etags: tuple[str, ...], current: Version) -> bool:
    return ANY in etags or current.etag in etags
