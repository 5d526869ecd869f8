"""What an app may know and nobody else: one file for each app, readable by us alone."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dayfly.config.names import OPERATOR, name_problem, reserved, secret_problem
from dayfly.durable import locked, translated, write_atomically
from dayfly.errors import DayflyError

LARGEST = 64 * 1024  # bytes of one value


class SecretError(DayflyError):
    """A secret is missing, or a name or value is refused. No message holds a value."""


@dataclass(frozen=True)
class Secrets:
    """The secrets of all apps of an environment, in a folder of mode 0700."""

    folder: Path

    def names(self, app: str) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.read(app) if not reserved(name)))

    def read(self, app: str) -> dict[str, str]:
        """Names and values."""
        path = self._path(app)
        with translated(path):
            if not path.exists():
                return {}
            text = path.read_text()
        try:
            values: dict[str, str] = json.loads(text)
        except ValueError as error:
            raise SecretError(f"{path}: damaged", hint="Restore it from a backup.") from error
        return values

    def wanted(self, app: str, names: Sequence[str]) -> dict[str, str]:
        """The values of `names`, which dayfly.toml lists; SecretError says which have none."""
        values = self.read(app)
        if missing := [name for name in names if name not in values]:
            hint = "\n".join(_how_to_set(app, name, values) for name in missing)
            raise SecretError(f"{app}: no value for the secret {', '.join(missing)}", hint=hint)
        return {name: values[name] for name in names}

    def set(self, app: str, name: str, value: str) -> None:
        if says := secret_problem(name):
            raise SecretError(says)
        if says := _value_problem(value):
            raise SecretError(f"{name}: {says}")
        with locked(self.folder / ".lock"):
            self._write(app, self.read(app) | {name: value})

    def keep(self, app: str, name: str, value: str) -> None:
        """One of Dayfly's own, which nobody sets, sees or removes; it is hidden as the others."""
        with locked(self.folder / ".lock"):
            self._write(app, self.read(app) | {name: value})

    def remove(self, app: str, name: str) -> None:
        with locked(self.folder / ".lock"):
            values = self.read(app)
            if name not in values or reserved(name):
                near = get_close_matches(name, self.names(app), 1)
                hint = f"Did you mean {near[0]}?" if near else "`dayfly secret ls` shows all names."
                raise SecretError(f"{app} has no secret {name}", hint=hint)
            del values[name]
            self._write(app, values)

    def _write(self, app: str, values: dict[str, str]) -> None:
        write_atomically(self._path(app), json.dumps(values, indent=1, sort_keys=True))

    def _path(self, app: str) -> Path:
        if says := name_problem(app):
            raise SecretError(says)
        return self.folder / f"{app}.json"


def _how_to_set(app: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, 1)
    meant = f"  (there is {near[0]}: did you mean that one?)" if near else ""
    where = f" --app {app}" if app == OPERATOR else ""
    return f"dayfly secret set {name}{where}{meant}"


def _value_problem(value: str) -> str | None:
    if not value:
        return "the value is empty; `dayfly secret rm` removes a secret"
    if "\0" in value:
        return "the value holds a NUL character, which no program can be given"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "the value is not UTF-8 text"
    return None if size <= LARGEST else f"the value has {size} bytes, allowed are {LARGEST}"
