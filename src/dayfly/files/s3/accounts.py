"""Who may use the archive: accounts with their keys, as the file of `--accounts` tells them."""

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.durable import translated
from dayfly.errors import DayflyError
from dayfly.files.s3.origin import TRIAL, parted

_LOG = logging.getLogger("files")


class AccountsError(DayflyError):
    """The accounts file is wrong."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    access_key_id: str
    secret_access_key: str


class Account(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """`id` is the canonical id, by which buckets and objects name their owner.

    An `operator` may do everything in all buckets, and what it writes is the bucket's owner's.
    By the keys of an `app` its machines sign.
    """

    id: str
    display_name: str = ""
    email: str = ""
    keys: tuple[Key, ...] = ()
    operator: bool = False
    app: bool = False

    def may_make(self, bucket: str) -> bool:
        """An app no bucket that another one could be called by, also one that is to come.

        Behind a dot there is no app's name, and what an app tries has its own place there.
        """
        if self.operator or not self.app or bucket == self.id:
            return True
        return bucket.startswith(f"{self.id}.") and not f"{bucket}.".startswith(
            f"{self.id}{TRIAL}."
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accounts: tuple[Account, ...]


@dataclass(frozen=True)
class Accounts:
    all: tuple[Account, ...]
    by_key: Mapping[str, tuple[Account, str]] = field(init=False)
    by_id: Mapping[str, Account] = field(init=False)

    def __post_init__(self) -> None:
        keys = {
            key.access_key_id: (account, key.secret_access_key)
            for account in self.all
            for key in account.keys
        }
        object.__setattr__(self, "by_key", keys)
        object.__setattr__(self, "by_id", {account.id: account for account in self.all})

    def of_key(self, key_id: str) -> tuple[Account, str, str] | None:
        """Whose key it is, its secret, and who of those that have it signs."""
        found, sender = self.by_key.get(key_id), ""
        if found is None:
            key, sender = parted(key_id)
            found = self.by_key.get(key)
        return (*found, sender) if found else None

    def of_email(self, email: str) -> Account | None:
        return next((each for each in self.all if email and each.email == email), None)

    def name_of(self, account_id: str) -> str:
        found = self.by_id.get(account_id)
        return found.display_name if found else ""


def read(path: Path) -> Accounts:
    """AccountsError says what is wrong with the file."""
    with translated(path):
        text = path.read_bytes()
    try:
        told = typed.decode(text, _File)
    except msgspec.MsgspecError as error:
        raise AccountsError(
            f"{path}: {error}",
            hint='{"accounts": [{"id": "main", "keys": [{"access_key_id": "…", '
            '"secret_access_key": "…"}]}]}',
        ) from error
    _once(path, "id", (each.id for each in told.accounts))
    _once(path, "access_key_id", (k.access_key_id for each in told.accounts for k in each.keys))
    return Accounts(told.accounts)


@dataclass
class AccountsFile:
    """Read again when it has changed; what is wrong then is logged, and the accounts stay."""

    path: Path
    _read: Accounts = field(init=False)
    _stamp: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._stamp = self._now()
        self._read = read(self.path)

    def current(self) -> Accounts:
        stamp = self._now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._read = read(self.path)
            except DayflyError as error:
                _LOG.error("%s", error.message)
        return self._read

    def _now(self) -> tuple[int, int]:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - on every request; half the cost
        except OSError:
            return (0, 0)
        return found.st_mtime_ns, found.st_ino


def _once(path: Path, name: str, values: Iterable[str]) -> None:
    seen = set[str]()
    for value in values:
        if not value or value in seen:
            raise AccountsError(f"{path}: {name} {value!r} is empty or there twice")
        seen.add(value)
