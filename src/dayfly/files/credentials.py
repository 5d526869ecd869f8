"""Access keys made and taken back: they stand in the accounts file, which is ours alone to read."""

import re
import secrets
import string
from collections.abc import Iterable
from pathlib import Path

import msgspec

from dayfly.durable import locked, write_atomically
from dayfly.errors import DayflyError
from dayfly.files.s3 import accounts
from dayfly.files.s3.accounts import Account, Key
from dayfly.files.s3.origin import parted

_ID = re.compile(r"[a-z][a-z0-9.-]{0,62}")
_LETTERS = string.ascii_uppercase + "234567"  # as the ids of Amazon's keys


class CredentialError(DayflyError):
    """A key can't be made or found."""


def create(file: Path, account: str, *, operator: bool = False) -> Key:
    """One more key of an account, which begins with its first one. Servers know it at once.

    CredentialError where an account that is there is no operator, and is to be one.
    """
    check_id(account)
    key = Key(
        access_key_id="".join(secrets.choice(_LETTERS) for _ in range(20)),
        secret_access_key=secrets.token_urlsafe(30),
    )
    with locked(_lock(file)):
        known = {each.id: each for each in _read(file)}
        fresh = Account(id=account, display_name=account, operator=operator)
        found = known.get(account, fresh)
        if operator and not found.operator:
            raise CredentialError(
                f"{account} is an account already, and no operator", hint="Take another name."
            )
        known[account] = msgspec.structs.replace(found, keys=(*found.keys, key))
        _write(file, known.values())
    return key


def of_app(file: Path, account: str) -> None:
    """That the machines of an app sign by the keys of this account."""
    with locked(_lock(file)):
        known = _read(file)
        if any(each.id == account and not each.app for each in known):
            _write(file, (_of_app(each) if each.id == account else each for each in known))


def _of_app(account: Account) -> Account:
    return msgspec.structs.replace(account, app=True)


def revoke(file: Path, access_key_id: str) -> None:
    """CredentialError where there is no such key. The account stays, as things belong to it."""
    with locked(_lock(file)):
        known = _read(file)
        if access_key_id not in _ids(known):  # as a machine writes it
            access_key_id = parted(access_key_id)[0]
        if access_key_id not in _ids(known):
            raise CredentialError(
                f"there is no access key {access_key_id}", hint="`dayfly files key ls` shows all."
            )
        _write(file, (_without(each, access_key_id) for each in known))


def keys(file: Path) -> tuple[tuple[str, Key], ...]:
    """All of them, with whose they are."""
    return tuple((each.id, key) for each in _read(file) for key in each.keys)


def begin(file: Path) -> None:
    """An accounts file that is missing is one without any."""
    with locked(_lock(file)):
        if not file.exists():
            _write(file, ())


def check_id(account: str) -> None:
    if not _ID.fullmatch(account):
        raise CredentialError(
            f"{account!r} is no name of an account",
            hint="Allowed are a to z, 0 to 9, - and ., a letter first, 63 characters at most.",
        )


def _ids(known: Iterable[Account]) -> set[str]:
    return {key.access_key_id for each in known for key in each.keys}


def _without(account: Account, access_key_id: str) -> Account:
    left = tuple(key for key in account.keys if key.access_key_id != access_key_id)
    return msgspec.structs.replace(account, keys=left)


def _read(file: Path) -> tuple[Account, ...]:
    return accounts.read(file).all if file.exists() else ()


def _write(file: Path, known: Iterable[Account]) -> None:
    text = msgspec.json.format(msgspec.json.encode({"accounts": [*known]}))
    write_atomically(file, text)


def _lock(file: Path) -> Path:
    return file.with_name(f".{file.name}.lock")
