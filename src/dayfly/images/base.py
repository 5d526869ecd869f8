"""The base of images that name none: a small Debian with Python, made here without a registry."""

import tempfile
from pathlib import Path

from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, run, which
from dayfly.config.inherited import inherited_with
from dayfly.images.builder import BuildError, OnLine
from dayfly.images.engine import described, docker
from dayfly.images.repeatable import REPEATABLE

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3")
TOOLS = ("git", "python3-pip", "python3-venv")  # that build steps find, and no machine has
_UNMERGED = ("bullseye",)  # has no such package
_MERGES = "/usr/share/mmdebstrap/hooks/merged-usr"
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def name_of(suite: str) -> str:
    return f"dayfly/debian:{suite}"


BASE = name_of(SUITE)


def made_base(folder: Path, on_line: OnLine, stop: Stop, suite: str = SUITE) -> str:
    """The name of the base image, made first if docker has it not (40 to 110 s, once)."""
    name = name_of(suite)
    if described(name):
        return name
    if not which("mmdebstrap"):
        raise BuildError(
            "no base image: mmdebstrap, which makes one, is not installed",
            hint="Either: apt install mmdebstrap, or name an image: base under [build].",
        )
    on_line(f"making {name}, once (a minute or two): {', '.join(PACKAGES)}")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".base-") as place:
        archive = Path(place, "base.tar")
        try:
            run(
                _mmdebstrap(suite, archive),
                setting=Setting(env=inherited_with(**REPEATABLE)),
                on_line=on_line,
                stop=stop,
            )
        except CommandError as error:
            raise BuildError(f"the base image {name} could not be made", hint=error.tail) from error
        docker("import", "--change", f"ENV PATH={_PATH}", str(archive), name)
    return name


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _mmdebstrap(suite: str, archive: Path) -> list[str]:
    left_out = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    # Debian 12 brings Perl to merge /usr where it is not told that it is merged already.
    merges = suite not in _UNMERGED and Path(_MERGES).is_dir()
    merged = ("usr-is-merged",) if merges else ()
    packages = f"--include={','.join((*PACKAGES, *merged))}"
    hooks = (f"--hook-dir={_MERGES}",) if merges else ()
    return ["mmdebstrap", "--variant=minbase", packages, *hooks, *left_out, suite, str(archive)]
