"""What belongs to an app: an account, its key, and a bucket that nobody else gets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from dayfly.config.app import App
from dayfly.config.secrets import Secrets
from dayfly.files.errors import FilesError, NoSuchBucketError
from dayfly.files.objects import Asked, Versioning
from dayfly.files.remote.elsewhere import Elsewhere
from dayfly.files.s3.origin import TRIAL, key_of
from dayfly.files.store import Store

if TYPE_CHECKING:
    from dayfly.files.repository import Repository
    from dayfly.files.s3.accounts import Key

SECRET, TRIAL_SECRET = "DAYFLY_FILES_SECRET", "DAYFLY_FILES_TRIAL_SECRET"
_FEW = 1000


class TenantError(FilesError):
    """The bucket that an app wants is not its own."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a machine has to know."""

    endpoint: str
    bucket: str
    public: str = ""
    key: "Key"
    region: str = "us-east-1"  # what every SDK takes an endpoint of one's own to be
    ours: bool = True

    def key_id(self, machine: str, *, job: bool) -> str:
        """By which our archive knows who of the app writes."""
        own = self.key.access_key_id
        return key_of(own, machine, job=job) if self.ours else own


@dataclass(frozen=True, kw_only=True)
class Tenants:
    """The apps of an environment, in its archive.

    The secrets hold a copy of what keys are made of, so that it is taken out of logs.
    """

    root: Path
    index: Path
    accounts: Path
    secrets: Secrets
    endpoint: Callable[[], str]
    public: str = ""  # where others reach it, to write into URLs for them
    elsewhere: Callable[[], Elsewhere | None] = lambda: None
    opener: Callable[[Elsewhere], Store] | None = None
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)
    _begun: set[tuple[str, str]] = field(default_factory=set, init=False, compare=False)

    @property
    def store(self) -> str:
        """Which archive it is: another one has nothing of what this one has."""
        there = self.elsewhere()
        return f"{there.url}/{there.bucket}" if there else str(self.root)

    def bucket_of(self, app: App) -> str:
        """What it names, else one of its own, or the one of the other S3."""
        there = self.elsewhere()
        return there.bucket if there and app.files.bucket is None else app.bucket

    def access(self, app: str, bucket: str) -> Access:
        """Of the app's own bucket, which begins with versions: what is put over comes back."""
        if there := self.elsewhere():
            return self._there(there, app, bucket)
        with self._lock:
            self._begin(app, bucket, Versioning.ENABLED)
            key = self._key(app, app, SECRET)
        return Access(endpoint=self.endpoint(), bucket=bucket, key=key, public=self.public)

    def _there(self, there: Elsewhere, app: str, bucket: str) -> Access:
        """As the operator gave it, for whatever bucket; the app's logs don't show the secret."""
        from dayfly.files.s3.accounts import Key  # noqa: PLC0415 - see `_opened`

        key = Key(there.access_key_id, there.secret_access_key)
        with self._lock:
            if self.secrets.read(app).get(SECRET) != key.secret_access_key:
                self.secrets.keep(app, SECRET, key.secret_access_key)
        return Access(endpoint=there.url, bucket=bucket, key=key, region=there.region, ours=False)

    def trial(self, app: str) -> Access | None:
        """Of a bucket for machines that must not see production's files; None elsewhere."""
        if self.elsewhere():
            return None
        account = bucket = trial_of(app)
        with self._lock:
            self._begin(account, bucket, Versioning.NEVER)
            key = self._key(account, app, TRIAL_SECRET)
        return Access(endpoint=self.endpoint(), bucket=bucket, key=key, public=self.public)

    def empty_trial(self, app: str) -> None:
        """What earlier trials have left goes."""
        if self.elsewhere():
            return
        repository = self._opened()
        try:
            while page := repository.list(trial_of(app), Asked(limit=_FEW)).entries:
                for entry in page:
                    repository.delete(trial_of(app), entry.key)
        except NoSuchBucketError:
            return
        finally:
            repository.close()

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """Wherever the files of the environment are."""
        there = self.elsewhere()
        store: Store = self.opener(there) if there and self.opener else self._opened()
        try:
            yield store
        finally:
            store.close()

    def _begin(self, account: str, bucket: str, versioning: Versioning) -> None:
        if (account, bucket) in self._begun:
            return
        repository = self._opened()
        try:
            _make(repository, account, bucket, versioning)
        finally:
            repository.close()
        self._begun.add((account, bucket))

    def _opened(self) -> "Repository":
        from dayfly.files.repository import Repository  # noqa: PLC0415 - only while it is open

        return Repository(self.root, self.index)

    def _key(self, account: str, app: str, name: str) -> "Key":
        """The one that machines have; another one where somebody took it back."""
        from dayfly.files import credentials  # noqa: PLC0415 - see `_opened`

        kept = self.secrets.read(app).get(name)
        for owner, key in credentials.keys(self.accounts):
            if owner == account and key.secret_access_key == kept:
                credentials.of_app(self.accounts, account)
                return key
        key = credentials.create(self.accounts, account)
        credentials.of_app(self.accounts, account)
        self.secrets.keep(app, name, key.secret_access_key)
        return key


def trial_of(app: str) -> str:
    """No app is called so: their names have no dot."""
    return f"{app}{TRIAL}"


def _make(repository: "Repository", account: str, bucket: str, versioning: Versioning) -> None:
    try:
        found = repository.bucket(bucket)
    except NoSuchBucketError:
        repository.create_bucket(bucket, owner=account)
        if versioning is not Versioning.NEVER:
            repository.set_versioning(bucket, versioning)
        return
    if found.owner != account:
        raise TenantError(
            f"the bucket {bucket} belongs to {found.owner}, not to {account}",
            hint="Name another one in dayfly.toml: [files] bucket.",
        )
