"""Which files a build step reads: a step whose files did not change need not run again."""

import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from dayfly.images.requirements import (
    Read,
    UnknownInputsError,
    is_elsewhere,
    named_in,
    plain_path,
)

# A command that the shell takes as it stands: plain words and quoted ones, no expansion.
_PLAIN_COMMAND = re.compile(r"""(?:[\w./:@,+=~\[\]!% -]|"[^"$`\\\n]*"|'[^'\n]*')+""", re.ASCII)
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare",
              "postprepare")  # fmt: skip
_NPM_LOCAL = ("file:", "link:", "portal:", "workspace:", ".", "/", "~/")
_NPM_ELSEWHERE = ("--prefix", "--workspace", "--global", "--location", "--include-workspace",
                  "--userconfig")  # fmt: skip
# What a bundle's own settings may name of the source.
_BUNDLE_LOCAL = re.compile(r"^BUNDLE_(GEMFILE|LOCAL|CACHE|APP_CONFIG|PLUGIN)", re.MULTILINE)
_LOCAL_DEPENDENCY = re.compile(r"\b(path|develop|workspace|file|editable)\b\s*[=:]")
_RUBY_CODE = re.compile(r"path|gemspec|eval_gemfile|require|File|Dir|`")

_PIP_FLAGS = frozenset({
    "-q", "--quiet", "-v", "--verbose", "-U", "--upgrade", "--no-cache-dir", "--no-deps", "--pre",
    "--require-hashes", "--prefer-binary", "--no-input", "--disable-pip-version-check",
    "--no-build-isolation", "--no-compile", "--compile", "--no-color", "--no-index",
    "--use-pep517", "--ignore-installed", "--force-reinstall", "--no-warn-script-location",
})  # fmt: skip
_PIP_VALUES = frozenset({
    "-i", "--index-url", "--extra-index-url", "--only-binary", "--no-binary", "--trusted-host",
    "--timeout", "--retries", "--progress-bar", "--upgrade-strategy",
    "--root-user-action",
})  # fmt: skip
# Of tools that read a project: those that name no file and no folder.
_PROJECT_VALUES = frozenset({
    "--extra", "--extras", "--group", "--no-group", "--only-group", "--with", "--without", "--only",
    "--jobs", "--retry", "--python",
})  # fmt: skip
_PIP_FILES = frozenset({"-r", "--requirement", "--requirements", "-c", "--constraint"})


def inputs_of(step: str, read: Read) -> tuple[str, ...] | None:
    """The files of the source that `step` reads, or None when it may read any of them.

    `read` gives the text of a regular file of the source, None when there is none, and raises
    UnknownInputsError where something else is there. Only what is
    surely known counts: in doubt the step runs again with every change.
    """
    try:
        words = _words(step)
        for begins, rule in _RULES:
            rest = begins(words)
            if rest is not None:
                return tuple(sorted(rule(rest, read)))
    except UnknownInputsError:
        return None
    return None


def known_inputs(steps: Sequence[str], source: Path) -> tuple[tuple[str, ...], ...]:
    """Of the leading steps whose inputs are known, these inputs."""
    known = list[tuple[str, ...]]()
    for step in steps:
        inputs = inputs_of(step, reader(source))
        if inputs is None:
            break
        known.append(inputs)
    return tuple(known)


def reader(source: Path) -> Read:
    """Reads regular files of `source` only: a link may lead anywhere, a folder hold anything."""

    def read(path: str) -> str | None:
        file = source / path
        through = [file, *file.parents][: len(PurePosixPath(path).parts)]
        if any(part.is_symlink() for part in through) or file.is_dir():
            raise UnknownInputsError
        return file.read_text(errors="replace") if file.is_file() else None

    return read


def _words(step: str) -> list[str]:
    if not _PLAIN_COMMAND.fullmatch(step.strip()):
        raise UnknownInputsError
    return shlex.split(step)


def _pip(words: list[str]) -> list[str] | None:
    if words[:1] and _PYTHON.fullmatch(words[0]) and words[1:2] == ["-m"]:
        words = words[2:]
    if words[:1] in (["pip"], ["pip3"]) and words[1:2] == ["install"]:
        return words[2:]
    return None


def _pip_inputs(words: list[str], read: Read) -> set[str]:
    inputs = set[str]()
    rest = iter(words)
    for word in rest:
        option, _, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if option in _PIP_FILES:
            inputs |= named_in(plain_path(value or next(rest, "")), read)
        elif option in _PIP_VALUES:
            if not (value or next(rest, "")):
                raise UnknownInputsError
        elif word in _PIP_FLAGS:
            continue
        elif word.startswith("-") or not is_elsewhere(word):
            raise UnknownInputsError
    return inputs


def _uv_pip_inputs(words: list[str], read: Read) -> set[str]:
    if read("uv.toml") is not None or "tool.uv" in (read("pyproject.toml") or ""):
        raise UnknownInputsError  # they may say where packages come from
    return _pip_inputs(words, read)


def _npm_inputs(words: list[str], read: Read) -> set[str]:
    folder = ""
    rest = iter(words)
    for word in rest:
        if word == "--prefix":
            folder = plain_path(next(rest, "")) + "/"
        elif not word.startswith("--") or word.startswith(_NPM_ELSEWHERE):
            raise UnknownInputsError
    names = ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc")
    inputs = {folder + name for name in names if read(folder + name) is not None}
    text = read(f"{folder}package.json")
    if text is None or not _installs_only(text):
        raise UnknownInputsError
    if "--ignore-scripts" not in words and read(f"{folder}binding.gyp") is not None:
        raise UnknownInputsError  # npm compiles what it describes
    return inputs


def _installs_only(package: str) -> bool:
    """A package.json names nothing else of the source, nor code to run on install."""
    try:
        about = json.loads(package)
    except ValueError:
        return False
    if not isinstance(about, dict) or "workspaces" in about or "overrides" in about:
        return False
    kinds = [about.get(name) for name in about if name.lower().endswith("dependencies")]
    wanted = [str(version) for kind in kinds if isinstance(kind, dict) for version in kind.values()]
    scripts = about.get("scripts")
    return not any(version.startswith(_NPM_LOCAL) for version in wanted) and not (
        isinstance(scripts, dict) and any(name in scripts for name in _LIFECYCLE)
    )


def _project_inputs(*names: str) -> Callable[[list[str], Read], set[str]]:
    """For tools that read the project's own declaration and lock."""

    def inputs(words: list[str], read: Read) -> set[str]:
        declared = read(names[0])
        if declared is None or not all(map(_stays_here, words)):
            raise UnknownInputsError
        if (_RUBY_CODE if names[0] == "Gemfile" else _LOCAL_DEPENDENCY).search(declared):
            raise UnknownInputsError
        return {name for name in names if read(name) is not None}

    return inputs


def _stays_here(word: str) -> bool:
    """An option that names no file, and no folder to work in."""
    option, is_given, _ = word.partition("=")
    if word.startswith("--"):
        return not is_given or option in _PROJECT_VALUES
    return word.startswith("-") and len(word) == len("-q")


def _bundle_inputs(words: list[str], read: Read) -> set[str]:
    settings = read(_BUNDLE_SETTINGS) or ""
    if _BUNDLE_LOCAL.search(settings) or read("vendor/cache") is not None:
        raise UnknownInputsError
    return _bundle_files(words, read)


_BUNDLE_SETTINGS = ".bundle/config"
_bundle_files = _project_inputs("Gemfile", "Gemfile.lock", ".ruby-version", _BUNDLE_SETTINGS)


def _begins(*start: str, needs: str = "") -> Callable[[list[str]], list[str] | None]:
    def rest(words: list[str]) -> list[str] | None:
        if tuple(words[: len(start)]) != start or (needs and needs not in words):
            return None
        return words[len(start) :]

    return rest


_RULES: tuple[
    tuple[Callable[[list[str]], list[str] | None], Callable[[list[str], Read], set[str]]], ...
] = (
    (_pip, _pip_inputs),
    (_begins("uv", "pip", "install"), _uv_pip_inputs),
    (_begins("npm", "ci"), _npm_inputs),
    (_begins("npm", "install"), _npm_inputs),
    (
        _begins("uv", "sync", needs="--no-install-project"),
        _project_inputs("pyproject.toml", "uv.lock", "uv.toml", ".python-version"),
    ),
    (
        _begins("poetry", "install", needs="--no-root"),
        _project_inputs("pyproject.toml", "poetry.lock", "poetry.toml"),
    ),
    (_begins("bundle", "install"), _bundle_inputs),
)
