"""Write the reference pages, or with --check fail when one of them is stale."""

import re
import sys
import tomllib
from dataclasses import MISSING
from pathlib import Path

from dayfly.cli.reference import markdown
from dayfly.config.app import App
from dayfly.config.environment import Environment
from dayfly.config.reference import APP, ENVIRONMENT, reference
from dayfly.config.schema import Key, keys_of, words

ROOT = Path(__file__).parent.parent / "docs/reference"
# Tables with names that the writer chooses.
NAMED = (
    ("process",),
    ("job",),
    ("route",),
    ("env",),
    ("logs", "app"),
    ("logs", "alert"),
    ("logs", "feed"),
    ("files", "watch"),
    ("tunnel", "site"),
)


def pages() -> dict[str, str]:
    """Every generated page by its name."""
    return {
        f"{APP}.md": settings_page(APP, tuple(keys_of(App))),
        "cli.md": markdown(),
        f"{ENVIRONMENT}.md": settings_page(ENVIRONMENT, tuple(keys_of(Environment))),
    }


def settings_page(file: str, keys: tuple[Key, ...]) -> str:
    known = {key.path: key for key in keys}
    first, *blocks = re.split(r"\n(?=\n)", reference(file).strip())
    parts = [f"# {file}", prose(first.splitlines())]
    table: tuple[str, ...] = ()
    for block in blocks:
        comments: list[str] = []
        for line in block.strip().splitlines():
            if line.startswith("# "):
                comments.append(line)
                continue
            if line.startswith("["):
                table = schema_path(line.strip("[]").split("."))
                parts += [f"## `{line}`", prose(comments)]
            else:
                parts.append(entry(line, known.get((*table, key_name(line))), comments))
            comments = []
    parts += ["## The whole file", f"```toml\n{reference(file).strip()}\n```"]
    made = "<!-- Made by scripts/docs from src/dayfly/config/reference; change it there. -->"
    return "\n\n".join([made, *parts]) + "\n"


def entry(line: str, key: Key | None, comments: list[str]) -> str:
    """One key: what may be written, what holds without it, what it is for."""
    if key is None:  # a name of the writer's choice, as below [env]
        return f"### any name\n\nA text, as in `{line.partition('  #')[0]}`."
    allowed = f"{capital(words(key.kind))}; {default(line, key)}."
    return "\n\n".join([f"### `{key.path[-1]}`", prose(comments), allowed])


def default(line: str, key: Key) -> str:
    value = line.partition(" = ")[2].partition("  # example")[0]
    if key.default is MISSING:
        return f"required, for example `{value}`"
    if key.default is False:
        return f"default `false`, for example `{value}`"
    if "# example" in line:
        return f"not set unless you do, for example `{value}`"
    return f"default `{value}`"


def schema_path(header: list[str]) -> tuple[str, ...]:
    at = next(
        (len(n) for n in NAMED if tuple(header[: len(n)]) == n and len(header) > len(n)), None
    )
    return tuple(header) if at is None else (*header[:at], "NAME", *header[at + 1 :])


def key_name(line: str) -> str:
    return next(iter(tomllib.loads(line.removeprefix("#"))))


def prose(comments: list[str]) -> str:
    return "\n".join(comment.removeprefix("# ") for comment in comments)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def stale(made: dict[str, str]) -> list[str]:
    return [
        name
        for name, text in made.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text() != text
    ]


if __name__ == "__main__":
    made = pages()
    if "--check" in sys.argv:
        sys.exit(
            "\n".join(f"docs/reference/{name} is stale: run scripts/docs" for name in stale(made))
            or 0
        )
    ROOT.mkdir(parents=True, exist_ok=True)
    for name in stale(made):
        (ROOT / name).write_text(made[name])
