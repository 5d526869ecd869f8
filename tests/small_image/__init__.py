"""Images for docker made of this host's programs, so that tests need no registry."""

import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

PYTHON = Path("/usr/bin/python3")
TAG = "dayfly-test/python:1"


def python_image() -> str:
    """The name of an image with sh and Python, made first if docker has it not."""
    return imported(TAG, archive([]))


def imported(tag: str, tar: bytes) -> str:
    """Make an image of an archive, unless docker has it."""
    known = ["docker", "image", "inspect", tag]
    if subprocess.run(known, capture_output=True, check=False).returncode:
        changes = ["--change", "WORKDIR /app", "--change", "USER 10001"]
        subprocess.run(
            ["docker", "import", *changes, "-", tag], input=tar, stdout=subprocess.PIPE, check=True
        )
    return tag


def archive(programs: Sequence[str], app: Path | None = None) -> bytes:
    """sh, Python and more programs of /usr/bin, with the libraries they need; `app` is /app."""
    buffer = io.BytesIO()
    files = [PYTHON, *(Path("/usr/bin", name) for name in programs)]
    libraries = {lib for program in [Path("/bin/sh"), *files] for lib in _libraries(program)}
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        tar.add("/bin/sh", "bin/sh")
        for path in [*files, *map(Path, libraries)]:
            tar.add(path, str(path).lstrip("/"))
        stdlib = _standard_library()
        tar.add(stdlib, stdlib.lstrip("/"), filter=_without_tests)
        if app:
            tar.add(app, "app")
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(tmp)
    return buffer.getvalue()


def _standard_library() -> str:
    asked = [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def _libraries(program: Path) -> list[str]:
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [word for line in told.splitlines() for word in line.split() if word.startswith("/")]


def _without_tests(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    unwanted = {"test", "__pycache__", "dist-packages", "idlelib", "lib2to3"}
    return None if unwanted & set(Path(info.name).parts) else info
