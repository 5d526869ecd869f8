"""python -m dayfly.tunnel.keeper HOME: keeps the IKE daemon up, and the tunnel with it.

It is started by `dayfly tunnel up`, or by systemd at boot. A daemon that ends is started again at
once; one that outlived its keeper is taken over, so that nothing is interrupted.
"""

import logging
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from dayfly.clock import Stop
from dayfly.config.home import Home
from dayfly.errors import StoppedError
from dayfly.rounds import Told
from dayfly.tunnel import charon as charons
from dayfly.tunnel.charon import Charon
from dayfly.tunnel.observed import to_initiate
from dayfly.tunnel.place import Place
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.prepared import Prepared, clear_leftovers, prepare, secure
from dayfly.tunnel.recalled import recalled, remember
from dayfly.tunnel.talk import NoDaemonError, talking

ROUND_SECONDS = 0.15
STANDING_SECONDS = 1.0  # between two looks at a tunnel that stands
FIRST_SECONDS = 0.3  # that the side which does not lead waits for the other one to connect
AGAIN_SECONDS = 1.0  # that a connection may be down before it is made anew …
LONGEST_SECONDS = 10.0  # … and at last, when it fails again and again
RETRY_SECONDS = 1.0  # after one that did not live longer
LARGEST_LOG = 8 * 1024**2

log = logging.getLogger(__name__)


@dataclass
class Waiting:
    """When each connection that is down is to be made."""

    leads: bool
    due: dict[str, float] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)

    def ready(self, down: list[str], now: float, *, first: bool) -> list[str]:
        """Those whose time has come; they are given a while before they are tried again."""
        for name in [name for name in self.due if name not in down]:
            del self.due[name]
            del self.tries[name]
        patience = FIRST_SECONDS if first and not self.leads else AGAIN_SECONDS
        for name in down:
            self.due.setdefault(name, now + patience)
        ready = [name for name, at in self.due.items() if at <= now]
        for name in ready:
            self.tries[name] += 1
            self.due[name] = now + min(AGAIN_SECONDS * 1.5 ** self.tries[name], LONGEST_SECONDS)
        return ready


class Keeper:
    def __init__(self, home: Home, place: Place, stop: Stop) -> None:
        self._home = home
        self._place = place
        self._stop = stop

    def run(self) -> None:
        """Until it is asked to stop; then the tunnel is ended in good order."""
        told = Told("tunnel")
        try:
            while True:
                began = time.monotonic()
                told.guard("the IKE daemon", self._once)
                lived = time.monotonic() - began
                self._stop.wait(0 if lived > RETRY_SECONDS else RETRY_SECONDS)
        except StoppedError:
            self._end()

    def _once(self) -> None:
        """From a daemon that runs until it ends."""
        prepared = prepare(self._home, self._place)
        state = secure(self._place, prepared)
        prepared = replace(prepared, plan=recalled(prepared.plan, self._place.seen))
        charon = charons.running(self._place)
        fresh = charon is None
        if charon is None:
            clear_leftovers(prepared, kernel=state.kernel)
            charon = charons.start(self._place, kernel=state.kernel)
        with talking(self._place.vici) as daemon:
            daemon.load(
                prepared.plan,
                kernel=state.kernel,
                credentials=prepared.credentials,
                crl=prepared.crl,
            )
        log.info("the IKE daemon runs, pid %s%s", charon.pid, "" if fresh else ", as before")
        self._look_after(charon, prepared, fresh=fresh)
        log.warning("the IKE daemon has ended; it is started again")
        charon.stop()

    def _look_after(self, charon: Charon, prepared: Prepared, *, fresh: bool) -> None:
        waiting, began = Waiting(prepared.plan.leads), time.monotonic()
        due = began
        while not charon.ended(ROUND_SECONDS):
            self._stop.check()
            now = time.monotonic()
            if now < due:
                continue
            self._rotate(charon)
            first = fresh and now - began < FIRST_SECONDS + 2 * ROUND_SECONDS
            stands = self._connect(prepared.plan, waiting, now, first=first)
            due = now + (STANDING_SECONDS if stands else 0)

    def _connect(self, plan: Plan, waiting: Waiting, now: float, *, first: bool) -> bool:
        """Whether nothing was to be done."""
        try:
            with talking(self._place.vici) as daemon:
                sas = daemon.sas()
                complete = remember(plan, sas, self._place.seen)
                down = to_initiate(plan, sas, first=first)
                for name in waiting.ready(down, now, first=first):
                    daemon.initiate(name)
        except NoDaemonError:
            return False  # it ends just now, which is noticed
        return complete and not down

    def _rotate(self, charon: Charon) -> None:
        path = self._place.log
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            shutil.move(path, path.with_suffix(".log.1"))
            charon.reopen_log()

    def _end(self) -> None:
        if charon := charons.running(self._place):
            charon.stop()


def main(folder: str) -> int:
    home = Home(Path(folder))
    place, stop = Place(home.tunnel), Stop()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: stop.request("the tunnel is brought down"))
    signal.signal(signal.SIGINT, lambda *_: stop.request("interrupted"))
    with place.kept() as alone:
        if not alone:
            log.warning("a keeper runs already")
            return 1
        Keeper(home, place, stop).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
