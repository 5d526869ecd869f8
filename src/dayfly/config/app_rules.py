"""What a well-formed dayfly.toml may still not say: impossible values and combinations."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from difflib import get_close_matches

from dayfly.config.app import App, Database, Health
from dayfly.config.collecting import files_problems
from dayfly.config.cron import CronError, schedule
from dayfly.config.environment import Environment
from dayfly.config.image_rules import image_problems, needs_a_root_of_its_own
from dayfly.config.names import (
    OPERATOR,
    name_problem,
    named,
    secret_problem,
    variable_problem,
)
from dayfly.config.paths import inside_problem
from dayfly.config.places import places_problems
from dayfly.config.prefixes import prefix_problems
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown
from dayfly.config.units import Duration, Size

MOST_MACHINES = 100
MOST_CPUS = 1024
MOST_HOLD = Duration(20)  # clients give up after some more
_MAY_BE_EMPTY = {
    ("env",), ("build", "outputs"), ("test", "outputs"), ("files", "collect"), ("files", "mount"),
}  # fmt: skip
_MAY_BE_ZERO = {"hold", "drain", "stream_drain", "job_drain", "watch", "warm"}


def app_problems(app: App) -> list[Problem]:
    rules = (
        _names, _variables, _build, _processes, _jobs, _database, _release,
        places_problems, _amounts, _commands, files_problems, prefix_problems,
        image_problems,
    )  # fmt: skip
    return [problem for rule in rules for problem in rule(app)]


def fits(app: App, environment: Environment) -> list[Problem]:
    """Why this app cannot be released in this environment; paths are those of dayfly.toml."""
    if environment.runtime == "docker":
        return []
    wanted = {"dockerfile": app.build.dockerfile, "base": app.build.base}
    says = (
        f"needs the docker runtime, and {environment.name} runs processes; "
        'use `steps` alone, or set runtime = "docker" in environment.toml'
    )
    problems = [Problem(("build", key), says) for key, value in wanted.items() if value]
    return [*problems, *needs_a_root_of_its_own(app, environment.name)]


def _names(app: App) -> Iterator[Problem]:
    if says := name_problem(app.app):
        yield Problem(("app",), says)
    if app.app == OPERATOR:
        yield Problem(("app",), f"{OPERATOR} is Dayfly's own name; choose another")
    yield from named(("process",), app.process)
    yield from named(("job",), app.job)
    for name in app.job.keys() & app.process.keys():
        yield Problem(("job", name), f"there is a process {name} too; give one another name")


def _variables(app: App) -> Iterator[Problem]:
    for place, name in enumerate(app.secrets):
        if says := secret_problem(name):
            yield Problem(("secrets", place), says)
        if name in app.secrets[:place]:
            yield Problem(("secrets", place), f"{name} is named twice")
    for name in app.env:
        if says := variable_problem(name):
            yield Problem(("env", name), says)
        if name in app.secrets:
            yield Problem(("env", name), "is a secret too; keep it in one of the two")


def _build(app: App) -> Iterator[Problem]:
    build = app.build
    if build.steps and build.dockerfile is not None:
        yield Problem(("build", "dockerfile"), "there are `steps` too; an image has one recipe")
    if build.base is not None and not build.steps:
        none = "is what `steps` start from, and there are none"
        yield Problem(("build", "base"), none, (("build", "steps"),))
    if build.dockerfile is not None and (says := inside_problem(build.dockerfile)):
        yield Problem(("build", "dockerfile"), says)


def _processes(app: App) -> Iterator[Problem]:
    if not app.process:
        yield Problem(("process",), "missing; an app has at least one, such as [process.web]")
    for name, process in app.process.items():
        at = ("process", name)
        if not 1 <= process.machines <= MOST_MACHINES:
            found = f"found {process.machines}, allowed are 1 to {MOST_MACHINES}"
            yield Problem((*at, "machines"), found)
        if name != "web" and process.health != Health():
            says = "only `web` answers requests; another process is healthy while it runs"
            yield Problem((*at, "health"), says)
        if process.cpus is not None and not 0 < process.cpus <= MOST_CPUS:
            says = f"found {process.cpus}, allowed is more than 0 and up to {MOST_CPUS}"
            yield Problem((*at, "cpus"), says)
        yield from _health((*at, "health"), process.health)


def _health(at: KeyPath, health: Health) -> Iterator[Problem]:
    if not 1 <= health.passes <= MOST_MACHINES:
        yield Problem((*at, "passes"), f"found {health.passes}, allowed are 1 to {MOST_MACHINES}")
    yield from _url_path((*at, "path"), health.path)
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]_-]{1,255}", health.host):
        yield Problem(
            (*at, "host"), f"found {shown(health.host)}, allowed is a name such as shop.example"
        )


def _url_path(at: KeyPath, path: str | None) -> Iterator[Problem]:
    if path is not None and not (path.startswith("/") and path.isascii() and path.isprintable()):
        yield Problem(at, f"found {shown(path)}, allowed is a path in ASCII that starts with /")
    elif path is not None and " " in path:
        yield Problem(at, f"found {shown(path)}; write a blank as %20")


def _jobs(app: App) -> Iterator[Problem]:
    for name, job in app.job.items():
        try:
            schedule(job.schedule)
        except CronError as error:
            found = f"found {shown(job.schedule)}, {error.message}"
            yield Problem(("job", name, "schedule"), found)


def _database(app: App) -> Iterator[Problem]:
    url = (app.database or Database()).url
    needs = app.database is not None or (app.test is not None and app.test.database)
    if needs and url not in app.secrets:
        at = ("database", "url") if app.database else ("test", "database")
        near = get_close_matches(url, app.secrets, 1)
        meant = f"; did you mean it by {near[0]}?" if near else ""
        says = f"its URL is the secret {url}, which `secrets` does not name{meant}"
        yield Problem(at, says, (("secrets",), ("database", "url")))
    if app.database:
        yield from _migrating(app, app.database)


def _migrating(app: App, database: Database) -> Iterator[Problem]:
    for key in ("migrate_url", "replica_url"):
        yield from _own_secret(app, key, getattr(database, key))
    if database.migrations is not None and database.migrate is not None:
        at = ("database", "migrations")
        yield Problem(at, "there is `migrate` too; one of them brings the schema up to date")
    if database.at_start:
        yield from _at_start(database)
    for key in ("migrations", "statements"):
        path = getattr(database, key)
        if path is not None and (outside := inside_problem(path)):
            yield Problem(("database", key), outside)
    yield from _contract(database)


def _at_start(database: Database) -> Iterator[Problem]:
    at: KeyPath = ("database", "at_start")
    for key in ("migrations", "migrate"):
        if getattr(database, key) is not None:
            says = f"there is `{key}` too; switch off what the app does when it starts"
            yield Problem(at, says, (("database", key),))
    if database.migrate_url is not None:
        says = "the app migrates as its own role; leave `migrate_url` out"
        yield Problem(at, says, (("database", "migrate_url"),))


def _own_secret(app: App, key: str, name: str | None) -> Iterator[Problem]:
    """Of a URL that machines of the app don't get."""
    at = ("database", key)
    if name is not None and (wrong := secret_problem(name)):
        yield Problem(at, wrong)
    if name in app.secrets:
        yield Problem(at, "is in `secrets` too, so that every machine would have it")


def _contract(database: Database) -> Iterator[Problem]:
    at: KeyPath = ("database", "contract")
    if database.contract and database.migrations is None and database.migrate is None:
        both: tuple[KeyPath, ...] = (("database", "migrations"), ("database", "migrate"))
        yield Problem(at, "names migrations, and nothing here runs any", both)
    for place, name in enumerate(database.contract):
        if name and not name.strip("*"):
            says = f"found {shown(name)}, which is every migration; name those that take away"
            yield Problem((*at, place), says)
        if name in database.contract[:place]:
            yield Problem((*at, place), f"{shown(name)} is named twice")


def _release(app: App) -> Iterator[Problem]:
    new_errors, at = app.release.new_errors, ("release", "new_errors")
    if new_errors < 0:
        yield Problem(at, f"found {new_errors}, allowed is 0 or more")
    if new_errors > 0 and not app.release.watch:
        yield Problem(at, "is looked at during `watch`, which is 0", (("release", "watch"),))
    page = app.release.page
    if page is not None and (says := inside_problem(page)):
        yield Problem(("release", "page"), says)
    if app.database and app.database.hold > MOST_HOLD:
        found = f"found {app.database.hold}, allowed are 0s to {MOST_HOLD}; longer is downtime"
        yield Problem(("database", "hold"), found)


def _amounts(app: App) -> Iterator[Problem]:
    for at, value in _leaves(app, ()):
        if isinstance(value, Duration | Size) and value == 0 and at[-1] not in _MAY_BE_ZERO:
            yield Problem(at, f"found {value}, allowed is more than that")


def _commands(app: App) -> Iterator[Problem]:
    for at, value in _leaves(app, ()):
        if isinstance(value, str) and not value.strip() and at[:-1] not in _MAY_BE_EMPTY:
            yield Problem(at, "is empty")
    yield from _url_path(("release", "assets"), app.release.assets)


def _leaves(value: object, at: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """Every single value below a settings value with its key path."""
    inner: list[tuple[str | int, object]] = []
    if is_dataclass(value):
        inner = [(field.name, getattr(value, field.name)) for field in fields(value)]
    elif isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, tuple):
        inner = list(enumerate(value))
    else:
        yield at, value
    for part, under in inner:
        yield from _leaves(under, (*at, part))
