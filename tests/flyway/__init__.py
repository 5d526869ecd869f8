"""Flyway itself, as scripts/test fetches it: its command line on a real JVM."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dayfly.command import Setting, run
from dayfly.database.capture import Run
from dayfly.database.jdbc import for_flyway
from migrating import PLAIN

HERE = Path(__file__).parent
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")  # it lives for a second


@cache
def jars() -> Path:
    """Exactly those that are pinned; missing ones are skipped on a laptop and fail in CI."""
    folder = HERE / "jars"
    if shutil.which("java") is None or not folder.is_dir():
        why = "no Flyway: apt-get install maven, and scripts/test fetches it"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    lines = (HERE / "SHA256SUMS").read_text().split("\n")
    assert found == {name: sum_ for sum_, _, name in (x.partition("  ") for x in lines if x)}
    return folder


def answered(url: str, folder: Path, *words: str) -> list[dict[str, Any]]:
    """What each of its verbs answers; the first that fails ends it."""
    lines: list[str] = []
    status = _run(for_flyway(url), folder, (*words, "-outputType=json"), lines.append)
    text = "\n".join(lines)
    assert status == 0, text
    found = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return list(found.get("individualResults", [found]))


def pending_of(answer: Mapping[str, Any]) -> list[str]:
    """The files that `flyway info` calls pending, in its order."""
    return [Path(one["filepath"]).name for one in answer["migrations"] if one["state"] == "Pending"]


def migrate(folder: Path, *words: str, name: str = "", options: str = "") -> Run:
    """`flyway migrate` as a migrate command, under a name and with options for its sessions."""

    def run_it(url: str) -> int:
        settings = for_flyway(url, name=name, options=options)
        return _run(settings, folder, (*words, "migrate"), print)

    return run_it


def _run(
    settings: Mapping[str, str],
    folder: Path,
    words: Iterable[str],
    on_line: Callable[[str], None],
) -> int:
    argv = ["java", *QUICK, "-cp", f"{jars()}/*", "org.flywaydb.commandline.Main"]
    argv += ["-skipCheckForUpdate", f"-locations=filesystem:{folder}", *words]
    setting = Setting(cwd=folder, env={**PLAIN, **settings})
    return run(argv, setting=setting, seconds=60, check=False, on_line=on_line).status
