"""dayfly.toml: how an application is built, tested, run, probed and released.

It lies in the application's own repository and changes with its commits.
"""

from dataclasses import dataclass, field

from dayfly.config.image import ImageRecipe
from dayfly.config.names import bucket_problem
from dayfly.config.units import Duration, Size

APP_FOLDER = "/app/"


def _below_app(places: dict[str, str]) -> dict[str, str]:
    """Paths below the app's folder, which may be written as `/app` too, as containers do."""
    return {path.removeprefix(APP_FOLDER): prefix for path, prefix in places.items()}


@dataclass(frozen=True, kw_only=True)
class Build:
    """From a commit to an image: `steps`, or a Dockerfile."""

    steps: tuple[str, ...] = ()
    dockerfile: str | None = None
    base: str | None = None  # an OCI image for `steps` in the docker runtime
    outputs: dict[str, str] = field(default_factory=dict)  # files of the image (globs) → prefix
    deadline: Duration = Duration(30 * 60)

    @property
    def output_places(self) -> dict[str, str]:
        return _below_app(self.outputs)


@dataclass(frozen=True, kw_only=True)
class Test:
    """The app's own tests, run in the built image; red ends the release."""

    run: str
    database: bool = False  # a throw-away one, its URL under the name of [database].url
    outputs: dict[str, str] = field(default_factory=dict)  # reports (globs) → prefix
    deadline: Duration = Duration(30 * 60)

    @property
    def output_places(self) -> dict[str, str]:
        return _below_app(self.outputs)


@dataclass(frozen=True, kw_only=True)
class Health:
    """The policy: `passes` probes in a row answered 2xx or 3xx within `deadline`."""

    path: str = "/"
    host: str = "localhost"  # sent as the Host header, for apps that answer to some names only
    passes: int = 2
    interval: Duration = Duration(0.5)
    timeout: Duration = Duration(2)
    deadline: Duration = Duration(30)


@dataclass(frozen=True, kw_only=True)
class Process:
    """One kind of machine. `web` gets the traffic; PORT tells it where to listen."""

    run: str
    machines: int = 1
    memory: Size | None = None
    cpus: float | None = None
    health: Health = field(default_factory=Health)  # of `web` only


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command that the serving release starts by schedule (cron's five fields)."""

    run: str
    schedule: str
    deadline: Duration = Duration(60 * 60)
    memory: Size | None = None


@dataclass(frozen=True, kw_only=True)
class Database:
    """Which secret holds the database's URL, and what brings its schema up to date."""

    url: str = "DATABASE_URL"
    migrate_url: str | None = None  # of a role of its own that may change the schema
    migrations: str | None = None  # a directory of plain SQL files, run by name: assessed first
    migrate: str | None = None  # or any tool's command
    at_start: bool = False  # or the app itself does, when it starts
    contract: tuple[str, ...] = ()  # migrations (globs) that wait until nothing older runs
    statements: str | None = None  # a file of SQL that the app sends, tried on the new schema
    replica_url: str | None = None  # a secret too: of a replica that answers for production
    budget: Duration = Duration(1)  # the longest blocking that counts as online
    hold: Duration = Duration(5)  # for which requests may be held while it blocks longer
    deadline: Duration = Duration(10 * 60)

    @property
    def migrates(self) -> bool:
        """Whether anything is declared that brings the schema up to date."""
        return bool(self.migrations or self.migrate or self.at_start)


@dataclass(frozen=True, kw_only=True)
class Release:
    """How a release gets its traffic and when the one before it goes."""

    smoke: str | None = None  # run with BASE_URL of an incoming machine
    smoke_deadline: Duration = Duration(60)
    drain: Duration = Duration(30)  # for open requests
    stream_drain: Duration = Duration(60)  # for websockets and event streams
    job_drain: Duration = Duration(10 * 60)  # for workers and running jobs
    watch: Duration = Duration(30)
    new_errors: int = 0  # so many records of an error that is new are a breach too; 0: never
    warm: Duration = Duration(10 * 60)
    page: str | None = None  # HTML file of the commit, shown while the app is closed
    assets: str | None = None  # path prefix of hashed assets, found on the warm fleet too


@dataclass(frozen=True, kw_only=True)
class Logs:
    """Log files inside the app's directory that are kept with the release (globs)."""

    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Files:
    """What the app has in the file archive."""

    bucket: str | None = None  # else the app's name
    collect: dict[str, str] = field(default_factory=dict)  # finished files (globs) → prefix

    mount: dict[str, str] = field(default_factory=dict)  # kept directories → prefix

    @property
    def mount_places(self) -> dict[str, str]:
        return _below_app(self.mount)

    @property
    def collect_places(self) -> dict[str, str]:
        return _below_app(self.collect)


@dataclass(frozen=True, kw_only=True)
class App:
    """All of dayfly.toml."""

    app: str
    secrets: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()  # directories outside every machine, shared by all fleets
    writable: tuple[str, ...] = ()  # paths of the image that the app may write to
    build: Build = field(default_factory=Build)
    image: ImageRecipe = field(default_factory=ImageRecipe)
    test: Test | None = None
    process: dict[str, Process] = field(default_factory=dict)
    job: dict[str, Job] = field(default_factory=dict)
    database: Database | None = None
    release: Release = field(default_factory=Release)
    logs: Logs = field(default_factory=Logs)
    files: Files = field(default_factory=Files)

    @property
    def shared(self) -> tuple[str, ...]:
        """Directories outside every machine, in the archive too or not."""
        return (*self.keep, *self.files.mount_places)

    @property
    def needs_bucket(self) -> bool:
        """Whether Dayfly itself puts something there."""
        puts = (self.files.collect, self.files.mount, self.build.outputs)
        return any(puts) or bool(self.test and self.test.outputs)

    @property
    def bucket(self) -> str:
        """Its name as a bucket; buckets have three characters, and end with none of `-`."""
        if self.files.bucket is not None:
            return self.files.bucket
        return f"{self.app}-files" if bucket_problem(self.app) else self.app
