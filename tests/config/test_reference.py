import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dayfly.config.app import App
from dayfly.config.environment import Environment
from dayfly.config.lines import lines_of
from dayfly.config.load import load_app, load_environment
from dayfly.config.problem import KeyPath
from dayfly.config.reference import APP, ENVIRONMENT, reference, starting_environment
from dayfly.config.schema import NAME, Key, keys_of

ROOT = Path(__file__).parents[2]
FILES = pytest.mark.parametrize(("file", "kind"), [(APP, App), (ENVIRONMENT, Environment)])


def uncommented(file: str) -> str:
    """The reference file with the keys that it shows commented out."""
    lines = reference(file).splitlines()
    return "\n".join(line[1:] if line[:1] == "#" and line[1:2] > " " else line for line in lines)


def named(path: KeyPath, keys: dict[tuple[str, ...], Key]) -> tuple[str, ...]:
    """A path of the file as the schema has it: process.web.run is process.NAME.run."""
    pattern: tuple[str, ...] = ()
    for part in (part for part in path if isinstance(part, str)):
        own = (*pattern, part)
        pattern = own if own in keys else (*pattern, NAME)
    return pattern


def value_at(file: str, path: KeyPath) -> object:
    value: object = tomllib.loads(uncommented(file))
    for part in path:
        value = value[part]  # type: ignore[index]
    return value


@FILES
def test_every_key_is_shown_and_every_key_shown_exists(file: str, kind: type) -> None:
    keys = {key.path: key for key in keys_of(kind)}
    places = [path for path in lines_of(uncommented(file)) if isinstance(path[-1], str)]

    shown = {named(path, keys) for path in places}

    assert keys.keys() - shown == set()
    assert {path for path in shown - keys.keys() if path[-1] != NAME} == set()


@FILES
def test_each_value_is_the_default_or_marked_as_an_example(file: str, kind: type) -> None:
    keys = {key.path: key for key in keys_of(kind)}
    text = uncommented(file)
    for path, line in lines_of(text).items():
        key = keys.get(named(path, keys)) if isinstance(path[-1], str) else None
        value = value_at(file, path) if key else {}
        tables = isinstance(value[0] if isinstance(value, list) and value else value, dict)
        if key is None or tables or "# example" in text.splitlines()[line - 1]:
            continue
        default = list(key.default) if isinstance(key.default, tuple) else key.default
        expected = str(default) if isinstance(value, str) else default

        assert value == expected, path


def test_the_reference_files_load() -> None:
    assert load_app(reference(APP)).process["web"].machines == 1
    assert load_environment(reference(ENVIRONMENT)).route.keys() == {"orders"}


def test_the_file_an_operator_starts_from_changes_nothing() -> None:
    assert load_environment(starting_environment()) == Environment()
    assert 'http = "127.0.0.1:8080"' in starting_environment()


def test_the_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode == 0
