"""What Debian and pip say of a root file system: packages, and who there is."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

_DIST = re.compile(r"(?P<at>.*)/(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/METADATA")
_FIELD = re.compile(r"^(Package|Status|Architecture|Version): (.*)$", re.MULTILINE)
_OF_DEBIAN = "usr/lib/python3"
ORIGIN = re.compile(r".*/(?P<name>[^/]+)-[^/-]+\.dist-info/direct_url\.json")
_OF_THE_APP = "app/"


def packages_of(status: str) -> dict[str, str]:
    """Name and version of each installed package, from dpkg's own file.

    One of another architecture than dpkg's own is named with it, as apt does.
    """
    rows = [dict(_FIELD.findall(entry)) for entry in status.split("\n\n")]
    has = [row for row in rows if row.get("Status", "").endswith(" installed")]
    own = next((row.get("Architecture") for row in has if row["Package"] == "dpkg"), None)
    return {_package(row, own): row.get("Version", "") for row in has}


def _package(row: Mapping[str, str], own: str | None) -> str:
    name, built_for = row["Package"], row.get("Architecture")
    return name if own is None or built_for in {own, "all", None} else f"{name}:{built_for}"


def distributions(files: Iterable[str]) -> dict[str, str]:
    """Python's packages that pip installed, from the names of their metadata."""
    found = {}
    for name in files:
        told = _DIST.fullmatch(name)
        if told and not name.startswith(_OF_DEBIAN):
            found[_normal(told["name"])] = told["version"]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def brought(files: Iterable[str], texts: Mapping[str, str]) -> tuple[str, ...]:
    """Python's packages that are the app's own: of its folder, or installed from a file."""
    below = (name for name in files if name.startswith(_OF_THE_APP))
    return tuple(sorted({*_from_files(texts), *distributions(below)}))


def _from_files(texts: Mapping[str, str]) -> Iterator[str]:
    """Python's packages of which pip says that they come from a file or folder of the build."""
    for name, text in texts.items():
        told = ORIGIN.fullmatch(name)
        if told and _url(text).startswith("file:"):
            yield _normal(told["name"])


def _url(text: str) -> str:
    try:
        told = json.loads(text)
    except ValueError:
        return ""
    return str(told.get("url", "")) if isinstance(told, dict) else ""


def users_of(passwd: str) -> dict[str, str]:
    """Who there is, with number, group, home and shell."""
    rows = (line.split(":") for line in passwd.splitlines())
    return {row[0]: ":".join([row[2], row[3], *row[5:7]]) for row in rows if len(row) >= 7}  # noqa: PLR2004
