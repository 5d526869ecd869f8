"""From the text of a settings file to frozen values, or one error that names every problem."""

import re
import tomllib
from collections.abc import Callable, Sequence
from typing import TypeVar

from dayfly.config.app import App
from dayfly.config.app_rules import app_problems
from dayfly.config.environment import Environment
from dayfly.config.environment_rules import environment_problems
from dayfly.config.home import NO_HOME, Home
from dayfly.config.lines import lines_of
from dayfly.config.problem import Problem, SettingsError, refusal, touched
from dayfly.config.read import Reader
from dayfly.config.reference import APP, ENVIRONMENT
from dayfly.config.schema import keys_of
from dayfly.durable import FileError, translated

Settings = TypeVar("Settings", App, Environment)
Rule = Callable[[Environment], Sequence[Problem]]
LARGEST = 64 * 1024  # characters; a settings file is written by a person


def load_app(text: str, *, file: str = APP) -> App:
    """The App that a dayfly.toml describes; SettingsError names all that is wrong with it."""
    return _load(App, text, file, _app_reader(), app_problems)


def load_environment(
    text: str, *, file: str = ENVIRONMENT, rules: Sequence[Rule] = ()
) -> Environment:
    """The Environment of an environment.toml; SettingsError names all that is wrong with it.

    `rules` are those of rooms above, which alone know what some keys may hold.
    """

    def problems(value: Environment) -> list[Problem]:
        return [problem for rule in (environment_problems, *rules) for problem in rule(value)]

    return _load(Environment, text, file, _environment_reader(), problems)


def settings_of(home: Home, rules: Sequence[Rule] = ()) -> Environment:
    """The environment.toml of a home."""
    try:
        with translated(home.environment_toml):
            text = home.environment_toml.read_text()
    except FileError as error:
        raise FileError(error.message, hint=NO_HOME) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{home.environment_toml}: is not UTF-8 text") from error
    return load_environment(text, file=str(home.environment_toml), rules=rules)


def _app_reader() -> Reader:
    other = "environment.toml (the operator's, in DAYFLY_HOME)"
    return Reader(tuple(keys_of(App)), tuple(keys_of(Environment)), other)


def _environment_reader() -> Reader:
    other = "dayfly.toml (the application's, in its repository)"
    return Reader(tuple(keys_of(Environment)), tuple(keys_of(App)), other)


def _load(
    kind: type[Settings],
    text: str,
    file: str,
    reader: Reader,
    problems_of: Callable[[Settings], Sequence[Problem]],
) -> Settings:
    raw = _parsed(text, file)
    value = reader.value(kind, raw, ())
    if isinstance(value, kind):
        reader.problems.extend(_certain(problems_of(value), reader.problems))
    if not isinstance(value, kind) or reader.problems:
        reference = APP if kind is App else ENVIRONMENT
        raise refusal(file, reader.problems, lines_of(text), reference=reference)
    return value


def _certain(broken: Sequence[Problem], unread: Sequence[Problem]) -> list[Problem]:
    """Rules that are broken whatever stands where nothing could be read."""
    return [problem for problem in broken if not touched(problem, unread)]


def _parsed(text: str, file: str) -> dict[str, object]:
    if len(text) > LARGEST:
        raise SettingsError(f"{file}: larger than {LARGEST} characters")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides its own, tomllib lets these through
        place = re.search(r" \(at line (\d+), column (\d+)\)", str(error))
        where = f"{file}:{place[1]}:{place[2]}" if place else file
        says = str(error).replace(place[0], "") if place else str(error)
        hint = "Texts stand in quotes, tables below a [header]: https://toml.io"
        raise SettingsError(f"{where}: {says}", hint=hint) from error
