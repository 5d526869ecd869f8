"""What docker's builder prints, read as the progress of an app's steps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dayfly.command import TAIL_LINES
from dayfly.images.builder import OnLine
from dayfly.images.dockerfile import SOURCE, Instruction

_STEP = re.compile(r"Step (\d+)/\d+ : ")
_CACHED = " ---> Using cache"
_NOISE = re.compile(
    r" ---> |Removing intermediate container|Sending build context|Successfully (built|tagged) "
    r"|DEPRECATED: The legacy builder|\s+Install the buildx component|\s+https://docs.docker.com"
    r"|\s+BuildKit is currently disabled|\s+environment-variable\.$"
)
_MADE = re.compile(r" ---> ([0-9a-f]{12,64})$")
_CODE = re.compile(r"returned a non-zero code: (\d+)")


@dataclass
class Progress:
    """Passes on what the steps print, and knows which instruction is at work."""

    instructions: Sequence[Instruction]
    on_line: OnLine
    tail: list[str] = field(default_factory=list)  # the last lines that steps printed
    code: str = ""  # exit status of the failed one
    unfinished: list[str] = field(default_factory=list)  # images with the source, newest first
    left_behind: list[str] = field(default_factory=list)  # those of a stage before the last
    known: str = ""  # the last image without the source
    _current: Instruction | None = None
    _told: bool = True
    _has_source: bool = False

    def line(self, line: str) -> None:
        begun = _STEP.match(line)
        if begun:
            self._begin(int(begun[1]))
        elif line.startswith(_CACHED):
            self._tell(" is unchanged")
        elif line.startswith(" ---> Running"):
            self._tell("")
        elif made := _MADE.match(line):
            self._made(made[1])
        elif failed := _CODE.search(line):
            self.code = failed[1]
        elif line.strip() and not _NOISE.match(line):
            self._tell("")
            self.tail = [*self.tail[-(TAIL_LINES - 1) :], line]
            self.on_line(line)

    @property
    def doing(self) -> str:
        at = self._current
        return f"{at.title}, {at.step!r}," if at and at.step else "docker build"

    def failure(self) -> str:
        """Of a build that failed: which of its parts did, and how."""
        how = f"exit status {self.code}" if self.code else "see its last lines"
        at = self._current
        if at and at.step:
            return f"{self.doing} failed: {how}"
        return f"docker build failed at {at.text!r}: {how}" if at else f"docker build failed: {how}"

    def _begin(self, number: int) -> None:
        known = number <= len(self.instructions)
        self._current = self.instructions[number - 1] if known else None
        self._told = False
        if self._current and self._current.text.startswith("FROM "):
            self.left_behind = list(self.unfinished)
        self._has_source = self._has_source or self._current is SOURCE

    def _made(self, image: str) -> None:
        if self._has_source:
            self.unfinished.insert(0, image)
        else:
            self.known = image

    def _tell(self, how: str) -> None:
        if not self._told and self._current and self._current.step:
            self.on_line(f"{self._current.title}{how}: {self._current.step}")
        self._told = True
