"""environment.toml: one production, in the hands of its operator. It lies in DAYFLY_HOME."""

from dataclasses import dataclass, field
from typing import Literal

from dayfly.config.tunnel import Tunnel
from dayfly.config.units import Duration, Size


@dataclass(frozen=True, kw_only=True)
class Https:
    """TLS at the balancer: one PEM file (certificate, chain, key) for each site in a folder."""

    listen: str
    certificates: str = "tls/"  # relative to DAYFLY_HOME


@dataclass(frozen=True, kw_only=True)
class Balancer:
    http: str = "127.0.0.1:8080"
    https: Https | None = None
    program: str | None = None  # an haproxy other than the one on PATH


@dataclass(frozen=True, kw_only=True)
class Api:
    listen: str = "127.0.0.1:8081"  # the API and the console
    address: str | None = None  # as people reach it, e.g. https://dayfly.example; else `listen`
    tls: bool = False  # with a certificate of the environment's own CA


@dataclass(frozen=True, kw_only=True)
class Route:
    """Which requests are an app's. An app without one gets all that no other app claims."""

    hosts: tuple[str, ...] = ()
    path: str = "/"


@dataclass(frozen=True, kw_only=True)
class Docker:
    network: Literal["host", "bridge"] = "host"


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What is removed on its own; what serves or is warm never is."""

    releases: int = 10  # retired releases of an app whose image and output stay
    events: Duration = Duration(90 * 86400)
    access_log: Size = Size(256 * 1024 * 1024)


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Machines that serve are compared with what was built."""

    every: Duration = Duration(60 * 60)
    heal: bool = True  # a machine that differs is replaced; else it is only told


@dataclass(frozen=True, kw_only=True)
class LogRetention:
    """How much the log store keeps; the oldest goes first."""

    age: Duration = Duration(30 * 86400)
    size: Size = Size(50 * 1024**3)


@dataclass(frozen=True, kw_only=True)
class AppLogs:
    """What differs for the records of one app."""

    age: Duration | None = None


@dataclass(frozen=True, kw_only=True)
class Spool:
    """What the forwarder keeps on disk while the log store is away."""

    limit: Size = Size(2 * 1024**3)
    full: Literal["block", "drop oldest"] = "block"


@dataclass(frozen=True, kw_only=True)
class LogSources:
    """What of this host is forwarded, besides machines, the balancer and Dayfly itself."""

    journal: bool = True  # systemd's, where the host has one
    syslog: tuple[str, ...] = ("/var/log/syslog", "/var/log/messages")  # where it has none
    postgresql: tuple[str, ...] = ("/var/log/postgresql/*.log",)


@dataclass(frozen=True, kw_only=True)
class Syslog:
    """Where the log store takes syslog in, from hosts that can't be told a token."""

    listen: str | None = None  # UDP and TCP
    tls: str | None = None
    certificate: str | None = None  # PEM with its key, relative to DAYFLY_HOME
    clients: str | None = None  # PEM: who signs the certificates that senders have to show


@dataclass(frozen=True, kw_only=True)
class LogAlert:
    """A search that is asked again and again: it tells when it finds too much, or too little."""

    query: str
    within: Duration = Duration(5 * 60)
    more_than: int | None = None  # records within that time, or …
    fewer_than: int | None = None
    again: Duration | None = None  # told so often for as long as it stands; else once
    silent: tuple[str, ...] = ()  # windows, in the time zone of the environment
    webhook: str | None = None
    webhook_secret: str | None = None  # of the app `dayfly`
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReleaseAlert:
    """Who is told of releases that fail, and of those that go back by themselves."""

    apps: tuple[str, ...] = ()  # none named: all
    webhook: str | None = None
    webhook_secret: str | None = None  # of the app `dayfly`
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class LogFeed:
    """Where records go on to: what somebody has already."""

    url: str
    kind: Literal["elasticsearch", "splunk", "syslog"] = "elasticsearch"
    query: str = "*"
    index: str = "dayfly"
    user: str | None = None
    secret: str | None = None  # of the app `dayfly`
    ca: str | None = None  # PEM: who signs the receiver's certificate, relative to DAYFLY_HOME
    acknowledged: bool = False
    most_behind: Size = Size(2 * 1024**3)


@dataclass(frozen=True, kw_only=True)
class Logs:
    """The log store and the forwarder."""

    listen: str | None = None  # without it a port of loopback that `up` chooses once
    retention: LogRetention = field(default_factory=LogRetention)
    app: dict[str, AppLogs] = field(default_factory=dict)
    spool: Spool = field(default_factory=Spool)
    host: LogSources = field(default_factory=LogSources)
    syslog: Syslog = field(default_factory=Syslog)
    alert: dict[str, LogAlert] = field(default_factory=dict)
    feed: dict[str, LogFeed] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class S3:
    """What opens the bucket of `store = "s3://…"`: names of secrets of the app `dayfly`."""

    endpoint: str | None = None  # without it Amazon's
    region: str = "us-east-1"
    access_key_id: str = "FILES_ACCESS_KEY_ID"
    secret_access_key: str = "FILES_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a secret


@dataclass(frozen=True, kw_only=True)
class FilesWatch:
    """Whom to tell what happens in a bucket."""

    url: str
    bucket: str
    prefix: str = ""
    secret: str | None = None  # of the app `dayfly`, shown as Bearer


@dataclass(frozen=True, kw_only=True)
class Files:
    """The file archive."""

    store: str = "archive"  # relative to DAYFLY_HOME, a mounted share, or s3://BUCKET
    s3: S3 = field(default_factory=S3)
    watch: dict[str, FilesWatch] = field(default_factory=dict)
    listen: str | None = None  # without it a port of loopback that `up` chooses once
    host: str | None = None  # its name at the balancer; buckets are hosts below it
    workers: int = 2


@dataclass(frozen=True, kw_only=True)
class Environment:
    """All of environment.toml."""

    name: str = "production"
    runtime: Literal["process", "docker"] = "process"
    time_zone: str = "UTC"
    hosts: tuple[str, ...] = ("localhost",)
    postgresql: str | None = None  # folder of PostgreSQL's programs, for throw-away databases
    scratch_url: str | None = None  # of a server that copies of databases are made on
    balancer: Balancer = field(default_factory=Balancer)
    api: Api = field(default_factory=Api)
    route: dict[str, Route] = field(default_factory=dict)
    docker: Docker = field(default_factory=Docker)
    retention: Retention = field(default_factory=Retention)
    drift: Drift = field(default_factory=Drift)
    alert: dict[str, ReleaseAlert] = field(default_factory=dict)
    logs: Logs = field(default_factory=Logs)
    files: Files = field(default_factory=Files)
    tunnel: Tunnel | None = None
