"""Values of the room: what is to be started, and what is observed to run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from dayfly.clock import Stop
from dayfly.errors import DayflyError
from dayfly.images.contents import Contents
from dayfly.images.image import Image
from dayfly.machines.collected import Collect


class MachineError(DayflyError):
    """A machine could not be started, kept or removed."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A machine that is wanted. Its name is unique in the environment and never used again."""

    name: str  # orders-2-web-1
    app: str
    release: int
    process: str  # web, worker, … ; a job's name for a job
    kind: Literal["process", "job"] = "process"
    image: Image
    run: str  # a shell command; $PORT and other variables are expanded in the machine
    port: bool = False  # the runtime chooses one and tells it in PORT
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    memory: int | None = None  # bytes
    cpus: float | None = None
    keep: Mapping[str, Path] = field(default_factory=dict)  # path in the app's folder → directory
    writable: tuple[str, ...] = ()
    log_files: tuple[str, ...] = ()
    loopback: bool = False  # has to reach what listens on this host's loopback address
    collect: Collect = field(default_factory=Collect)  # files for the archive
    logged: bool = True  # its output goes to the log store, not only to who started it


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine as the runtime observes it, whoever started it."""

    name: str
    app: str
    release: int
    process: str
    kind: Literal["process", "job"]
    address: str | None  # host:port
    state: Literal["running", "exited"]
    status: int | None = None  # exit status, once known; 128 + number after a signal
    reason: str = ""  # of the end: "exit status 3", "SIGKILL", "out of memory"
    started: float = 0.0  # seconds since the epoch
    paused: bool = False  # it runs, but none of its processes gets on


@dataclass(frozen=True, kw_only=True)
class Usage:
    memory: int  # bytes resident
    cpu: float  # seconds since its start


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What a machine is, as it stands now."""

    contents: Contents
    bounds: Mapping[str, str]  # who its process is and what it may do; empty where none runs
    outside: tuple[str, ...]  # paths of its contents that are no image's
    given: Mapping[str, str] = field(default_factory=dict)  # bounds that every machine has here


class Runtime(Protocol):
    """Runs machines. One contract test suite holds for every implementation."""

    @property
    def name(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What this host does not give, as sentences to tell once."""
        ...

    def launch(self, spec: Spec) -> Machine:
        """Start a machine; returns when its process runs, which is not yet healthy."""
        ...

    def machines(self) -> tuple[Machine, ...]:
        """All machines of this environment that exist, observed now (also those that ended)."""
        ...

    def pause(self, name: str) -> None:
        """Halt all of its processes where they are, until `resume`; returns when they have halted.

        A machine that is paused, unknown or ended is no error.
        """
        ...

    def resume(self, name: str) -> None:
        """Let a paused machine go on. One that is not paused, unknown or ended is no error."""
        ...

    def stop(self, name: str, grace: float) -> None:
        """SIGTERM, SIGKILL after `grace` seconds. An unknown or ended machine is no error.

        A paused one goes on first.
        """
        ...

    def remove(self, name: str) -> None:
        """Kill what runs and free all it held but its output. Unknown is no error."""
        ...

    def run(
        self,
        spec: Spec,
        *,
        on_line: Callable[[str], None],
        stop: Stop | None = None,
        seconds: float | None = None,
    ) -> int:
        """Run a one-off command in a fresh machine to its end; its exit status. Leaves nothing."""
        ...

    def output(self, name: str) -> Path:
        """The folder that keeps a machine's output (`output.log`) and its log files, for ever."""
        ...

    def forget(self, name: str) -> None:
        """Remove the output of a machine that is gone."""
        ...

    def usage(self, name: str) -> Usage | None: ...

    def fingerprint(self, name: str, image: Image, mutable: Sequence[str]) -> Fingerprint:
        """Of a machine of `image`; `mutable` paths of the app's folder are its own to change."""
        ...

    def pids(self, name: str) -> tuple[int, ...]:
        """All processes of a machine that live now, as this host numbers them."""
        ...
