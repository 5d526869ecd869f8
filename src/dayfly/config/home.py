"""DAYFLY_HOME: the one folder that holds everything of an environment, and its layout."""

import base64
import os
import re
from dataclasses import dataclass
from pathlib import Path

from dayfly.config.inherited import cache_variable, home_variable
from dayfly.config.reference import starting_environment
from dayfly.durable import FileError, locked, translated, write_atomically

NO_HOME = "Start the environment with `dayfly up`, or name its home in DAYFLY_HOME."
ROOT_HOME = Path("/var/lib/dayfly")
ROOT_CACHE = Path("/var/cache/dayfly")


@dataclass(frozen=True)
class Home:
    """Where things lie. Nothing here touches the disk."""

    path: Path

    @property
    def environment_toml(self) -> Path:
        return self.path / "environment.toml"

    @property
    def settings_in_force(self) -> Path:
        """environment.toml as the server that runs read it."""
        return self.run / "environment.toml"

    @property
    def id_file(self) -> Path:
        return self.path / "id"

    @property
    def token_file(self) -> Path:
        return self.path / "token"

    @property
    def journal(self) -> Path:
        return self.path / "journal.db"

    @property
    def searches(self) -> Path:
        """Searches of the logs that got a name."""
        return self.path / "searches.json"

    @property
    def alerts(self) -> Path:
        """Which alerts of the logs stand, and what was told of them."""
        return self.path / "alerts.json"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def sources(self) -> Path:
        return self.path / "sources"

    @property
    def images(self) -> Path:
        return self.path / "images"

    @property
    def cache(self) -> Path:
        """What builds keep between each other: pip's and npm's caches."""
        return self.path / "cache"

    @property
    def scratch(self) -> Path:
        """Throw-away databases."""
        return self.path / "scratch"

    @property
    def machines(self) -> Path:
        return self.path / "machines"

    @property
    def output(self) -> Path:
        """What machines said, by machine; it outlives them."""
        return self.path / "output"

    @property
    def balancer(self) -> Path:
        return self.path / "balancer"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """The log store's folder."""
        return self.path / "logs"

    @property
    def forwarder(self) -> Path:
        return self.path / "forwarder"

    @property
    def files(self) -> Path:
        """What the archive is told, who may use it, and its index where the tree is a share."""
        return self.path / "files"

    @property
    def tls(self) -> Path:
        return self.path / "tls"

    @property
    def ca(self) -> Path:
        """The environment's own authority, which signs for the server and for tunnels."""
        return self.path / "ca"

    @property
    def certificate(self) -> Path:
        """Of the server, with its key."""
        return self.path / "api.pem"

    @property
    def tunnel(self) -> Path:
        """Certificates of the site-to-site tunnel, its IKE daemon's files, and what was changed."""
        return self.path / "tunnel"

    @property
    def releases(self) -> Path:
        return self.path / "releases"

    def release(self, number: int) -> Path:
        return self.releases / str(number)

    def machine(self, name: str) -> Path:
        return self.machines / name

    def preserved(self, app: str, name: str) -> Path:
        """What a migration took away; only `dayfly destroy` removes it."""
        return self.path / "preserved" / app / name

    def keep(self, app: str, directory: str) -> Path:
        """The kept directory of an app; `directory` as dayfly.toml writes it."""
        return self.path / "keep" / app / directory


# All that an environment ever makes in its home; what else lies there is somebody else's.
OWN = (
    "alerts.json", "api.pem", "archive", "balancer", "ca", "cache", "environment.toml", "files",
    "forwarder", "id",
    "images", "journal.db", "journal.db-shm", "journal.db-wal", "keep", "logs", "machines",
    "output", "preserved", "releases", "run", "scratch", "searches.json", "searches.lock",
    "secrets", "sources", "tls", "token", "tunnel", "uids.json",
)  # fmt: skip


def default_home() -> Home:
    """DAYFLY_HOME, else the system's folder for root and the user's own for everybody else."""
    if told := home_variable():
        return Home(Path(told).expanduser().absolute())
    own = ROOT_HOME if os.geteuid() == 0 else Path.home() / ".local/share/dayfly"
    return Home(own)


def cache_folder() -> Path:
    """What may go at any time, of no environment; PostgreSQL's user passes through as root's."""
    if os.geteuid() == 0:
        folder, mode = ROOT_CACHE, 0o711
    else:
        folder, mode = Path(cache_variable() or Path.home() / ".cache") / "dayfly", 0o700
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    return folder


def create(home: Home) -> None:
    """Make the layout, the environment's id, token and settings; what is there already stays.

    As root the way to what machines need is open for other users, who must know the names (0711),
    since machines run under uids of their own. All else is ours alone.
    """
    passable = 0o711 if os.geteuid() == 0 else 0o700
    with translated(home.path):
        home.path.mkdir(parents=True, exist_ok=True)
        home.path.chmod(passable)
        for folder in (
            home.secrets, home.tls, home.sources, home.releases, home.balancer, home.run,
            home.logs, home.forwarder, home.files,
            home.path / "preserved",
        ):  # fmt: skip
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
        for folder in (home.images, home.machines, home.output, home.path / "keep", home.scratch):
            folder.mkdir(exist_ok=True)
            folder.chmod(passable)
    with locked(home.run / "create.lock"):
        _write_once(home.id_file, os.urandom(4).hex())
        for file in (home.token_file, home.logs / "token"):
            _write_once(file, base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="))
        _write_once(home.environment_toml, starting_environment())


def environment_id(home: Home) -> str:
    """The 8 hexadecimal digits that everything of this environment carries."""
    return _read(home.id_file, r"[0-9a-f]{8}")


def token(home: Home) -> str:
    """What a client shows to the API of this environment."""
    return _read(home.token_file, r"[A-Za-z0-9_-]{20,}")


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        write_atomically(path, text)


def _read(path: Path, allowed: str) -> str:
    try:
        with translated(path):
            text = path.read_text(errors="replace").strip()
    except FileError as error:
        raise FileError(error.message, hint=NO_HOME) from error
    if not re.fullmatch(allowed, text):
        raise FileError(f"{path}: damaged", hint="Restore it from a backup of DAYFLY_HOME.")
    return text
