"""What the archive says when it can't do what is asked."""

from dayfly.errors import DayflyError


class FilesError(DayflyError):
    """The archive can't be opened, read or written."""


class NoSuchBucketError(FilesError):
    """No bucket of that name."""


class NoSuchKeyError(FilesError):
    """No object has that key now; `marker` is the id of the delete marker that hides it."""

    def __init__(self, message: str, *, marker: str = "") -> None:
        super().__init__(message)
        self.marker = marker


class NoSuchVersionError(FilesError):
    """The key has no version of that id."""


class MarkerError(FilesError):
    """The version that was asked for is a delete marker, which has no bytes."""


class NoSuchUploadError(FilesError):
    """No upload of that id: never begun, completed or aborted."""


class BucketExistsError(FilesError):
    """The name is taken; `owner` is whose bucket it is."""

    def __init__(self, message: str, *, owner: str) -> None:
        super().__init__(message)
        self.owner = owner


class BucketNotEmptyError(FilesError):
    """A bucket with objects, versions or markers can't be deleted."""


class BadNameError(FilesError):
    """Not a name that a bucket, or a key that an object, may have."""


class ConditionError(FilesError):
    """The object is not in the state that the request asked for; nothing was changed."""


class LockedError(FilesError):
    """Retention or a legal hold keeps the version as it is."""


class LeasedError(FilesError):
    """Somebody else has the exclusive right to write the key, or has had it since."""

    def __init__(self, message: str, *, owner: str = "") -> None:
        super().__init__(message, hint="Wait until it ends, or take the lease anew.")
        self.owner = owner


class BadPartError(FilesError):
    """A part that was named was never uploaded, or with other bytes."""


class PartOrderError(FilesError):
    """Parts have to be named in ascending order."""


class PartTooSmallError(FilesError):
    """All parts but the last need 5 MiB."""


class ChecksumError(FilesError):
    """What arrived is not what the sender announced."""


class NoRoomError(FilesError):
    """The disk or the quota is full; what is stored can still be read."""


class ReadOnlyError(FilesError):
    """The file system takes no changes; what is stored can still be read."""


class NotKeptError(FilesError):
    """The file system under the archive can't keep what would be promised."""


class LostError(FilesError):
    """The archive knows the version, but its bytes are not there, or not whole, any more."""


class GoneError(FilesError):
    """The folder of the archive, or of a bucket, is not there: removed, or not mounted."""
