"""The files of throw-away PostgreSQL servers: made once, copied for each, cleaned after a crash."""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import wait_until
from dayfly.command import CommandError, Setting, output_of, reap
from dayfly.database.programs import DatabaseError
from dayfly.durable import locks

ADMIN = "dayfly"
STOP_SECONDS = 10.0
_USERS = ("postgres", "nobody")  # PostgreSQL refuses root, and wants a user that has a name
_SERVER = "server-"


@dataclass(frozen=True)
class Cluster:
    """A data directory and who its server runs as."""

    data: Path
    password: str  # of ADMIN
    setting: Setting

    def folder_for(self, name: str) -> Path:
        """One beside its data, which its server may fill; gone with it."""
        made = self.data.parent / name
        made.mkdir(0o700)
        _give(made, self.setting)
        return made


def setting_of_servers() -> Setting:
    """Ourselves, or an unprivileged user when we are root."""
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    if os.geteuid() != 0:
        return Setting(cwd=Path("/"), env=env)
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _USERS:
        if name in users:
            user = users[name]
            return Setting(cwd=Path("/"), env=env, uid=user.pw_uid, gid=user.pw_gid)
    raise DatabaseError(
        "PostgreSQL refuses to run as root, and there is no other user for it",
        hint="Add one: useradd --system postgres",
    )


@contextmanager
def new_cluster(
    folder: Path, programs: Path, *, base: Path | None = None, at: Path | None = None
) -> Iterator[Cluster]:
    """A fresh cluster in `folder`, or a copy of one that was kept; removed on the way out.

    Its files lie `at` a place of their own where that is given.

    Its lock is held meanwhile: what lies there unlocked was left by a crash, and is cleaned first.
    """
    setting = setting_of_servers()
    folder.mkdir(parents=True, exist_ok=True)
    at = at or folder
    _refuse_hidden(at, setting)
    clean(at)
    template = base or _template(folder, programs, setting)
    with tempfile.NamedTemporaryFile(dir=at, prefix=_SERVER, suffix=".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place = Path(lock.name).with_suffix("")
        try:
            _copy(template, place, setting)
            password = (template / "password").read_text()
            yield Cluster(place / "data", password, setting)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def clean(folder: Path) -> None:
    """Stop and remove servers whose owner is gone."""
    for place in folder.glob(f"{_SERVER}*/"):
        lock = place.with_name(f"{place.name}.lock")
        with lock.open("a") as file:
            if not locks(file.fileno()):
                continue  # in use
            pid = _running(place / "data")
            if pid is not None:
                end(pid)
            shutil.rmtree(place, ignore_errors=True)
            lock.unlink(missing_ok=True)


def keep(cluster: Cluster, target: Path) -> None:
    """Make the data of a cluster whose server has ended the base of later ones."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".kept-") as place:
        Path(place).chmod(0o711)
        kept = Path(place, "cluster")
        kept.mkdir(0o700)
        (kept / "password").write_text(cluster.password)
        _give(kept, cluster.setting)
        if cluster.data.stat().st_dev == Path(place).stat().st_dev:
            cluster.data.rename(kept / "data")
        else:
            _copy(cluster.data.parent, kept, cluster.setting)
        try:
            kept.rename(target)
        except OSError:
            if not target.exists():  # somebody else was quicker
                raise


def end(pid: int, how: signal.Signals = signal.SIGQUIT) -> None:
    """End a server; by default at once, without a checkpoint: its data goes with it."""

    def gone() -> bool:
        reap(pid)
        return not Path(f"/proc/{pid}").exists()

    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return
    wait_until(gone, seconds=STOP_SECONDS, what="the throw-away PostgreSQL ends")


def _running(data: Path) -> int | None:
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return None
    return pid if os.fsencode(data) in command else None  # the number may be another's by now


def _template(folder: Path, programs: Path, setting: Setting) -> Path:
    """A cluster with an empty database, made once for each version of PostgreSQL."""
    version = output_of([str(programs / "postgres"), "--version"], setting=setting).split()[-1]
    name = "".join(letter for letter in version if letter.isalnum() or letter in ".-")
    template = folder / f"template-{name}"
    if (template / "password").exists():
        return template
    with tempfile.TemporaryDirectory(dir=folder, prefix=".template-") as place:
        Path(place).chmod(0o711)
        made = Path(place, "cluster")
        made.mkdir(0o700)
        password = secrets.token_urlsafe(24)
        (made / "password").write_text(password)
        _give(made, setting)
        _initdb(programs, made, setting)
        try:
            made.rename(template)
        except OSError:
            if not (template / "password").exists():  # somebody else was quicker
                raise
    return template


def _initdb(programs: Path, made: Path, setting: Setting) -> None:
    words = [
        str(programs / "initdb"), "--pgdata", str(made / "data"), "--username", ADMIN,
        "--pwfile", str(made / "password"), "--auth", "scram-sha-256", "--encoding", "UTF8",
        "--locale", "C.UTF-8", "--no-sync",
    ]  # fmt: skip
    try:
        output_of(words, setting=setting)
    except CommandError as error:
        raise DatabaseError("initdb could not make a database", hint=error.tail) from error


def _copy(template: Path, place: Path, setting: Setting) -> None:
    place.mkdir(0o700, exist_ok=True)
    _give(place, setting)
    try:
        output_of(["cp", "-a", "--reflink=auto", str(template / "data"), str(place)])
    except CommandError as error:
        raise DatabaseError("a throw-away database could not be made", hint=error.tail) from error


def _give(place: Path, setting: Setting) -> None:
    if setting.uid is not None and setting.gid is not None:
        for path in (place, *place.iterdir()):
            os.chown(path, setting.uid, setting.gid)


def _refuse_hidden(folder: Path, setting: Setting) -> None:
    try:
        output_of(["test", "-x", str(folder)], setting=setting)
    except CommandError as error:
        raise DatabaseError(
            f"{folder} lies in a folder that PostgreSQL's user may not enter",
            hint="Let others pass through each folder above it: chmod o+x FOLDER",
        ) from error
