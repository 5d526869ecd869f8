"""Where the app's folder is not what its image has: such places keep out of each other's way."""

from collections.abc import Iterator
from itertools import combinations

from dayfly.config.app import APP_FOLDER, App
from dayfly.config.collecting import folder_of, globs_of
from dayfly.config.paths import inside_problem, overlap
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown

# Log files, collected ones and reports lie in writable directories; their own globs may meet.
_LOGS, _COLLECTED, _REPORTS = ("logs", "files"), ("files", "collect"), ("test", "outputs")
_TOGETHER = {
    (("writable",), _LOGS),
    (("writable",), _COLLECTED),
    (("writable",), _REPORTS),
    (_LOGS, _LOGS),
    (_COLLECTED, _COLLECTED),
    (_REPORTS, _REPORTS),
}
_MADE_ANEW = {_COLLECTED, _REPORTS}  # a machine has folders of its own for them


def places_problems(app: App) -> Iterator[Problem]:
    lists: dict[KeyPath, tuple[str, ...]] = {
        ("keep",): app.keep,
        ("writable",): app.writable,
        ("logs", "files"): app.logs.files,
    }
    placed: list[tuple[KeyPath, str]] = [
        ((*at, n), path) for at, paths in lists.items() for n, path in enumerate(paths)
    ]
    for at, path in placed:
        if says := inside_problem(path, globs=at[0] == "logs"):
            yield Problem(at, says)
    placed += [
        (("files", "mount", path), path.removeprefix(APP_FOLDER)) for path in app.files.mount
    ]
    placed += [
        ((*table, glob), folder_of(glob))
        for table, globs in globs_of(app).items()
        if table in _MADE_ANEW
        for glob in globs
    ]
    for (first, one), (second, other) in combinations(placed, 2):
        if (first[:-1], second[:-1]) in _TOGETHER:
            continue
        if overlap(one, other):
            says = f"found {shown(other)}, which overlaps {shown(one)} of `{first[0]}`"
            yield Problem(second, says)
