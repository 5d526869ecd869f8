"""Chef without a server, in the container that becomes a layer of an image.

It has to be in the image already: Debian has none, and whose licence is accepted is not for us.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dayfly.config.image import Provision
from dayfly.images.builder import BuildError, OnLine
from dayfly.images.provision.idempotent import applied
from dayfly.images.provision.scaffold import INSIDE, Scaffold

CLIENTS = ("cinc-client", "chef-client")
SOLO = ("cinc-solo", "chef-solo")  # of old ones, which know no local mode
_PLACE = PurePosixPath(INSIDE, "chef")
_STATE = "/tmp/chef"  # noqa: S108 - of the container, in memory
_FIND = f"for name in {' '.join(CLIENTS + SOLO)}; do command -v $name && break; done || true"
_RESOURCE = re.compile(r"\s*\* (?P<name>\S+\[.*\]) action \S+(?P<rest>.*)")
_BESIDE = {"role_path": "roles", "data_bag_path": "data_bags", "environment_path": "environments"}


@dataclass
class Converged:
    """What one run tells: resources that changed, and what went wrong."""

    on_line: OnLine
    changed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _resource: str = ""  # at work

    def line(self, line: str) -> None:
        found = _RESOURCE.fullmatch(line)
        if found:
            self._resource = "" if found["rest"].strip() else found["name"]
        elif self._resource and line.strip().startswith("- "):
            self.changed.append(self._resource)
            self._resource = ""
        elif "FATAL: " in line or line.strip().startswith("Error executing action"):
            self.errors.append(line.partition("FATAL: ")[2] or line.strip())
        if line.strip():
            self.on_line(line)


def converge(
    step: Provision, source: Path, scaffold: Scaffold, title: str, secrets: Mapping[str, str]
) -> None:
    """Run the recipes of `source`, and once more, when nothing must be left to change."""
    program = _program(scaffold, title)
    folder = scaffold.told / "chef"
    shutil.copytree(source, folder, symlinks=True)
    (folder / "dayfly.rb").write_text(settings_of(step, source))
    command = command_of(step, source, program, title)
    applied(scaffold, command, title, secrets, Converged, twice=step.second_run)


def settings_of(step: Provision, source: Path) -> str:
    """Chef's configuration: where cookbooks are, and that nothing of a run stays in the image."""
    cookbooks = PurePosixPath(step.chef or "")
    lines = [f'cookbook_path ["{_PLACE / cookbooks}"]']
    lines += [
        f'{name} "{_PLACE / cookbooks.parent / folder}"'
        for name, folder in _BESIDE.items()
        if (source / cookbooks.parent / folder).is_dir()
    ]
    own = {"node_path": "nodes", "file_cache_path": "cache", "file_backup_path": "backup"}
    lines += [f'{name} "{_STATE}/{folder}"' for name, folder in own.items()]
    return "\n".join([*lines, 'node_name "image"', ""])


def command_of(step: Provision, source: Path, program: str, title: str) -> str:
    recipes = step.recipes or only_cookbook(source / (step.chef or ""), title)
    run_list = ",".join(f"recipe[{recipe}]" for recipe in recipes)
    words = [program, f"--config {_PLACE}/dayfly.rb"]
    if PurePosixPath(program).name in CLIENTS:
        words.append("--local-mode --no-fork")
    words.append("--no-color --force-formatter --format doc --log_level warn")
    attributes = PurePosixPath(step.chef or "").parent / "node.json"
    if (source / attributes).is_file():
        words.append(f"--json-attributes {_PLACE / attributes}")
    return " ".join([*words, f"--override-runlist '{run_list}'"])


def only_cookbook(folder: Path, title: str) -> Sequence[str]:
    """BuildError where somebody has to choose."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if len(names) == 1:
        return names
    known = ", ".join(names) or "none"
    raise BuildError(
        f"{title}: which recipes? There are the cookbooks {known}",
        hint='Name them in the step: recipes = ["COOKBOOK", "COOKBOOK::RECIPE"]',
    )


def _program(scaffold: Scaffold, title: str) -> str:
    found = list[str]()
    scaffold.with_lines(found.append).run(_FIND, title="looking for Chef")
    if found and found[0].startswith("/"):
        return found[0]
    raise BuildError(
        f"{title}: the image has no Chef; one of {', '.join(CLIENTS + SOLO)} is needed",
        hint="Debian has none: install it in a `shell` step before, or take a base that has it.",
    )
