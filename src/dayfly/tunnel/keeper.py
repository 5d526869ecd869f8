"""python -m dayfly.tunnel.keeper HOME: keeps the IKE daemon up, and the tunnel with it.

It is started by `dayfly tunnel up`, or by systemd at boot. Before anything else it holds what lets
nothing leave in clear, and goes on with that whatever happens to the rest. A daemon that ends, or
hangs, is started again; one that outlived its keeper is taken over, so that nothing is interrupted,
unless the settings are other ones by now.
"""

import logging
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dayfly.clock import Stop
from dayfly.config.home import Home
from dayfly.errors import StoppedError
from dayfly.rounds import Told
from dayfly.tunnel import charon as charons
from dayfly.tunnel.calling import Calling
from dayfly.tunnel.charon import Charon
from dayfly.tunnel.guard import Guard
from dayfly.tunnel.host import require_ports
from dayfly.tunnel.loaded import loaded_with, remember_loaded
from dayfly.tunnel.names import Names, led, name_of
from dayfly.tunnel.observed import Connection, observed, overall, versions
from dayfly.tunnel.place import Place
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.prepared import Prepared, clear_leftovers, let_go, prepare, secure
from dayfly.tunnel.recalled import recalled
from dayfly.tunnel.talk import ASK_SECONDS, Daemon, NoDaemonError, talking
from dayfly.tunnel.telling import Telling
from dayfly.tunnel.waiting import FIRST_SECONDS
from dayfly.tunnel.watch import Watch
from dayfly.tunnel.way import Way, put_back

ROUND_SECONDS = 0.15
STANDING_SECONDS = 1.0  # between two looks at a tunnel that stands …
STIRRED_SECONDS = 0.3  # … and where routes or rules have changed
ROUTES_SECONDS = 1  # that a tunnel may stand without routes
RETRY_SECONDS = 1.0  # after one that did not live longer
NAMES_SECONDS = 1.0  # that names may take before the daemon goes on without them
HANGS_SECONDS = 5.0  # that the daemon may be silent before another one is started in its place
LARGEST_LOG = 8 * 1024**2
DAEMON, TELLING = "the IKE daemon", "what is told of it"

log = logging.getLogger(__name__)


class Keeper:
    def __init__(self, home: Home, place: Place, stop: Stop) -> None:
        self._home = home
        self._place = place
        self._stop = stop
        self._telling = Telling(place)
        self._guard = Guard(place)
        self._names = Names(place.names)
        self._watch = Watch(self._guard, self._telling.restored)
        self.relieved = threading.Event()  # another keeper takes over what runs

    def run(self) -> None:
        """Until it is asked to stop; then the tunnel is ended in good order, or handed over."""
        told = Told("tunnel")
        self._watch.start()
        try:
            while True:
                began = time.monotonic()
                told.guard(DAEMON, self._once)
                problem = told.problems.get(DAEMON, "")
                told.guard(TELLING, lambda: self._telling.tell(problem=problem, settings=""))  # noqa: B023 - called at once
                lived = time.monotonic() - began
                self._stop.wait(0 if lived > RETRY_SECONDS else RETRY_SECONDS)
        except StoppedError:
            if not self.relieved.is_set():
                charons.end_all(self._place)

    def relieve(self) -> None:
        self.relieved.set()
        self._stop.request("another keeper takes over")

    def _once(self) -> None:
        """From a daemon that runs until it ends."""
        prepared = prepare(self._home, self._place)
        state = secure(self._guard, prepared)
        charon = self._taken_over(prepared)
        fresh = charon is None
        if charon is None:
            require_ports()
            self._ask_for_names(prepared.plan)
            clear_leftovers(prepared, kernel=state.kernel)
            charon = charons.start(self._place, kernel=state.kernel)
            remember_loaded(charon, prepared.fingerprint)
        # What stands in one of before stands with the addresses that were known then.
        plan = recalled(led(prepared.plan, self._names.known()), self._place.seen)
        self._load(charon, replace(prepared, plan=plan), kernel=state.kernel)
        let_go(self._place, prepared, state)
        log.info("the IKE daemon runs, pid %s%s", charon.pid, "" if fresh else ", as before")
        self._telling.tell(problem="", settings=prepared.fingerprint)
        calling = Calling(plan, place=self._place, names=self._names, kernel=state.kernel)
        log.warning("the IKE daemon %s", self._look_after(charon, prepared, calling, fresh=fresh))
        charon.stop()

    def _taken_over(self, prepared: Prepared) -> Charon | None:
        """One of before, that was told these settings: another one is ended."""
        charon = charons.running(self._place)
        if charon is None or loaded_with(charon) == prepared.fingerprint:
            return charon
        log.warning("the IKE daemon has other settings than these: it is started again")
        charon.stop()
        return None

    def _ask_for_names(self, plan: Plan) -> None:
        names = {name for peer in plan.peers if (name := name_of(peer))}
        self._names.ask(names)
        if names - self._names.known().keys():
            self._names.wait(NAMES_SECONDS)

    def _load(self, charon: Charon, prepared: Prepared, *, kernel: bool) -> None:
        try:
            with talking(self._place.vici) as daemon:
                daemon.load(
                    prepared.plan,
                    kernel=kernel,
                    credentials=prepared.credentials,
                    crl=prepared.crl,
                )
        except NoDaemonError:  # one of before, which hangs
            charon.kill()
            raise

    def _look_after(
        self, charon: Charon, prepared: Prepared, calling: Calling, *, fresh: bool
    ) -> str:
        """For as long as it does its work; says why no longer."""
        way, began = Way(), time.monotonic()
        heard, stood = began, False
        while not charon.ended(ROUND_SECONDS):
            self._stop.check()
            now = time.monotonic()
            pause = STIRRED_SECONDS if self._watch.stirred.is_set() else STANDING_SECONDS
            if stood and now - heard < pause:
                continue
            self._rotate(charon)
            first = fresh and now - began < FIRST_SECONDS + 2 * ROUND_SECONDS
            try:
                stands = calling.look(now, first=first)
                self._telling.tell(problem=calling.problem, settings=prepared.fingerprint)
                if (stands and not stood) or self._watch.stirred.is_set():
                    self._hold(way, prepared.plan)
            except NoDaemonError:  # it may end just now, which is noticed
                if now - heard > HANGS_SECONDS:
                    charon.kill()
                    return "hangs, and was killed: it is started again"
                continue
            stood, heard = stands, now
        return "has ended; it is started again"

    def _hold(self, way: Way, plan: Plan) -> None:
        """The daemon itself takes its routes away when it ends a tunnel, so that is asked."""
        self._watch.stirred.clear()
        found = way.look()
        if not found and not way.bare:
            return
        with talking(self._place.vici, seconds=ASK_SECONDS) as daemon:
            sas = daemon.sas()
            connections = observed(plan, sas, kernel=True)
            if overall(connections) != "established":
                way.forget()
            elif restored := put_back(found):
                log.warning("put back, as somebody took it away: %s", ", ".join(restored))
                self._telling.restored(restored)
            elif way.bare & versions(sas):
                self._make_anew(daemon, connections)

    def _make_anew(self, daemon: Daemon, connections: Sequence[Connection]) -> None:
        """Its routes were taken away before they were seen: only strongSwan knows them."""
        self._watch.stirred.set()  # until they are there
        for each in connections:
            if each.seconds is not None and each.seconds >= ROUTES_SECONDS:
                log.warning("%s has no routes: it is made anew", each.name)
                daemon.terminate(each.name)

    def _rotate(self, charon: Charon) -> None:
        path = self._place.log
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            shutil.move(path, path.with_suffix(".log.1"))
            charon.reopen_log()


def main(folder: str) -> int:
    home = Home(Path(folder))
    place, stop = Place(home.tunnel), Stop()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: stop.request("the tunnel is brought down"))
    signal.signal(signal.SIGINT, lambda *_: stop.request("interrupted"))
    keeper = Keeper(home, place, stop)
    signal.signal(signal.SIGUSR1, lambda *_: keeper.relieve())
    with place.kept() as alone:
        if not alone:
            log.warning("a keeper runs already")
            return 1
        keeper.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
