"""Dayfly itself, as it is brought to a host: the code that runs here, and what it needs, locked."""

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import dayfly
from dayfly.hosts.address import HostError

_CODE = Path(dayfly.__file__).parent
# A checkout has its lock at the top.
_LOCKS = (
    _CODE / "hosts/requirements.txt",
    _CODE.parents[1] / "requirements.txt",
)
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
    return Package(code=_archive(), needs=lock.read_text())


def _archive() -> bytes:
    """The same bytes for the same files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path in sorted(_CODE.rglob("*")):
            if path.is_file() and not _LEFT_OUT & set(path.parts):
                about = tarfile.TarInfo(str(Path("dayfly") / path.relative_to(_CODE)))
                data = path.read_bytes()
                about.size, about.mode = len(data), 0o755 if path.stat().st_mode & 0o100 else 0o644
                archive.addfile(about, io.BytesIO(data))
    return made.getvalue()
