"""Dayfly itself, as it is brought to a host: the code that runs here, and what it needs, locked."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import dayfly
from dayfly.hosts.address import HostError

_CODE = Path(dayfly.__file__).parent
# A checkout has its lock at the top.
_LOCKS = (
    _CODE / "hosts/requirements.txt",
    _CODE.parents[1] / "requirements.txt",
)
_OWN_LOCK = "dayfly/hosts/requirements.txt"
_LEFT_OUT = {"__pycache__"}


@dataclass(frozen=True, kw_only=True)
class Package:
    code: bytes  # a tar archive
    needs: str  # a file for pip, with hashes

    @property
    def version(self) -> str:
        """Differs when anything of it does."""
        return hashlib.sha256(self.code + self.needs.encode()).hexdigest()[:12]


def package() -> Package:
    lock = next((path for path in _LOCKS if path.is_file()), None)
    if lock is None:
        raise HostError(f"this Dayfly, in {_CODE}, came without its list of dependencies")
    needs = lock.read_text()
    files = {
        f"dayfly/{path.relative_to(_CODE)}": path
        for path in sorted(_CODE.rglob("*"))
        if path.is_file() and not _LEFT_OUT & set(path.parts)
    }
    return Package(code=_archive(files, _texts(needs)), needs=needs)


def _texts(needs: str) -> dict[str, str]:
    """What an installed Dayfly has besides its code, and a checkout has not there."""
    number = version("dayfly")
    about = f"Metadata-Version: 2.1\nName: dayfly\nVersion: {number}\n"
    return {_OWN_LOCK: needs, f"dayfly-{number}.dist-info/METADATA": about}


def _archive(files: Mapping[str, Path], texts: Mapping[str, str]) -> bytes:
    """The same bytes for the same files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in sorted({*files, *texts}):
            data = texts[name].encode() if name in texts else files[name].read_bytes()
            about = tarfile.TarInfo(name)
            about.size, about.mode = len(data), _mode(files.get(name))
            archive.addfile(about, io.BytesIO(data))
    return made.getvalue()


def _mode(path: Path | None) -> int:
    return 0o755 if path and path.stat().st_mode & 0o100 else 0o644
