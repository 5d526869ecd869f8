"""strongSwan's IKE daemon, started for this tunnel alone, with files of its own."""

import os
import select
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import DeadlineError, wait_until
from dayfly.command import Setting, reap, start_detached
from dayfly.config.inherited import inherited_with
from dayfly.durable import write_atomically
from dayfly.tunnel.host import CHARON, require_programs
from dayfly.tunnel.place import Place
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.strongswan import configuration
from dayfly.tunnel.talk import answers

ACQUIRE = Path("/proc/sys/net/core/xfrm_acq_expires")
START_SECONDS = 5.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Charon:
    """The process, whoever started it."""

    place: Place
    pid: int

    def ended(self, seconds: float) -> bool:
        """Whether it ends within so many seconds."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            readable, _, _ = select.select([descriptor], [], [], seconds)
        finally:
            os.close(descriptor)
        return bool(readable)

    def reopen_log(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGHUP)

    def kill(self) -> None:
        """Where it hangs, asking it would only take time."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """It tells the other side first, and takes its routes with it."""
        self._end(signal.SIGTERM, signal.SIGKILL)

    def _end(self, *numbers: signal.Signals) -> None:
        for number in numbers:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            if self.ended(STOP_SECONDS):
                break
        reap(self.pid)
        self.place.pid.unlink(missing_ok=True)
        self.place.vici.unlink(missing_ok=True)


def running(place: Place) -> Charon | None:
    """The one of before, if it still lives: also after whoever started it was killed.

    It is known by what it was started with: a file with its pid would have to be written before
    it is there, or would be missing when who starts it is killed in between.
    """
    wanted = place.configuration.resolve()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and _is_ours(folder, wanted):
            return Charon(place, int(folder.name))
    return None


def end_all(place: Place) -> None:
    while charon := running(place):
        charon.stop()


def _is_ours(process: Path, wanted: Path) -> bool:
    try:
        if CHARON.encode() not in (process / "cmdline").read_bytes():
            return False
        told = (process / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended
        return False
    files = (each.partition(b"=")[2] for each in told if each.startswith(b"STRONGSWAN_CONF="))
    return any(Path(os.fsdecode(each)).resolve() == wanted for each in files)


def start(place: Place, *, kernel: bool) -> Charon:
    """Returns when it answers; TunnelError with its last words when it does not."""
    program = require_programs()
    acquire = ACQUIRE.read_text().strip() if ACQUIRE.exists() else ""
    text = configuration(kernel=kernel, vici=place.vici, log=place.log, acquire=acquire)
    write_atomically(place.configuration, text)
    place.vici.unlink(missing_ok=True)
    setting = Setting(env=inherited_with(STRONGSWAN_CONF=str(place.configuration)))
    pid = start_detached([program], output=place.keeper_log, setting=setting)
    write_atomically(place.pid, str(pid))
    charon = Charon(place, pid)

    def ready() -> bool:
        if reap(pid) is not None or charon.ended(0):
            raise TunnelError("strongSwan's IKE daemon ended at once", hint=last_words(place))
        return place.vici.exists() and answers(place.vici)

    try:
        wait_until(ready, seconds=START_SECONDS, what="the IKE daemon answers", poll=POLL_SECONDS)
    except DeadlineError as error:
        charon.stop()
        raise TunnelError(error.message, hint=last_words(place)) from error
    return charon


def last_words(place: Place, number: int = 5) -> str:
    return "\n".join(place.last_lines()[-number:])
