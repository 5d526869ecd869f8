"""What a well-formed dayfly.toml may still not say of files that go into the archive."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from dayfly.config.app import APP_FOLDER, App
from dayfly.config.names import bucket_problem
from dayfly.config.paths import inside_problem
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown

_WILD = frozenset("*?[")


def files_problems(app: App) -> Iterator[Problem]:
    bucket = app.files.bucket
    if bucket is not None and (says := bucket_problem(bucket)):
        yield Problem(("files", "bucket"), says)
    for table, globs in globs_of(app).items():
        for glob, prefix in globs.items():
            if says := _glob_problem(glob.removeprefix(APP_FOLDER)):
                yield Problem((*table, glob), says)
            yield from _prefix((*table, glob), prefix)
    for path, prefix in app.files.mount.items():
        at: KeyPath = ("files", "mount", path)
        if says := inside_problem(path.removeprefix(APP_FOLDER)):
            yield Problem(at, says)
        yield from _prefix(at, prefix)


def globs_of(app: App) -> dict[KeyPath, Mapping[str, str]]:
    """By the table that names them."""
    return {
        ("build", "outputs"): app.build.outputs,
        ("test", "outputs"): app.test.outputs if app.test else {},
        ("files", "collect"): app.files.collect,
    }


def _prefix(at: KeyPath, prefix: str) -> Iterator[Problem]:
    if prefix.startswith("/") or not (prefix.endswith("/") or not prefix):
        yield Problem(at, f'found {shown(prefix)}, allowed is "" or a prefix such as "batch/"')


def folder_of(glob: str) -> str:
    """Of collected files: what comes before wildcards and names."""
    parts = PurePosixPath(glob.removeprefix(APP_FOLDER)).parts
    wild = next((at for at, part in enumerate(parts) if _WILD & set(part)), len(parts))
    return "/".join(parts[: min(wild, len(parts) - 1)]) or glob


def _glob_problem(glob: str) -> str | None:
    if says := inside_problem(glob, globs=True):
        return says
    first, *others = PurePosixPath(glob).parts
    if "**" in glob:
        return f"found {shown(glob)}; ** is not known here, write */ for each folder"
    if not others or _WILD & set(first):
        return f"found {shown(glob)}, allowed are files in a folder of their own: out/*.csv"
    return None
