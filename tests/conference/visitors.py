"""Everybody at the conference's site.

Visitors read pages, load what belongs to them and give feedback; organisers ask questions.
"""

import itertools
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from random import Random

from conference import forms
from conference.browser import Browser, UnexpectedError
from conference.organisers import ask_questions
from conference.site import Site
from conference.tally import Tally

READERS, WRITERS = 4, 2
READ_SECONDS, WRITE_SECONDS, LOOK_SECONDS = 1.0, 2.0, 3.0  # between two acts of one visitor
OLD_PAGE_SECONDS = 4.0  # how long a browser may take before it loads what a page names

PAGES = (
    ("/", "MayflyConf"),
    ("/conf/", "Welcome to MayflyConf"),
    ("/conf/cfp", "MayflyConf"),
    ("/conf/schedule/", "MayflyConf"),
    ("/conf/schedule/changelog/", "v1.0"),
    ("/conf/schedule/export/schedule.json", "Talk number 3"),
    ("/conf/schedule/widgets/schedule.json", "Talk number 2"),
    ("/conf/speaker/", "Speaker 4"),
    ("/conf/login/", "password"),
    ("/api/events/conf/talks/", "Talk number 5"),
    ("/orga/login/", "password"),
)


@contextmanager
def visited(site: Site, seed: int) -> Iterator[Tally]:
    """About ten requests a second for as long as the block runs."""
    tally, over = Tally(), threading.Event()
    threads = [
        threading.Thread(target=act, args=(site, tally, over, Random(f"{seed}/{number}")))
        for number, act in enumerate(_acts(site))
    ]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        over.set()
        for thread in threads:
            thread.join()


_Act = Callable[[Site, Tally, threading.Event, Random], None]


def _acts(site: Site) -> Sequence[_Act]:
    visitors = [_read] * READERS + [_come_and_go, _load_assets] + [_give_feedback] * WRITERS
    return visitors + [partial(ask_questions, session=session) for session in site.sessions]


def _read(
    site: Site, tally: Tally, over: threading.Event, random: Random, *, fresh: bool = False
) -> None:
    """Go from page to page, on one connection unless `fresh`."""
    browser = Browser(site.port, tally, fresh=fresh)
    while not over.wait(random.uniform(0.5, 1.5) * READ_SECONDS):
        number = random.randrange(len(PAGES) + len(site.talks))
        with suppress(UnexpectedError):
            if number < len(PAGES):
                path, shows = PAGES[number]
                browser.get(path, shows=shows)
            else:
                _look_at_talk(browser, site, tally, number - len(PAGES))
    browser.close()


def _come_and_go(site: Site, tally: Tally, over: threading.Event, random: Random) -> None:
    """A new connection for each page."""
    _read(site, tally, over, random, fresh=True)


def _look_at_talk(browser: Browser, site: Site, tally: Tally, number: int) -> str:
    """The page tells which pretalx made it: tabs came after 2024.1."""
    path = f"/conf/talk/{site.talks[number]}/"
    page = browser.get(path, shows=f"Talk number {number + 1}").text
    tally.saw("2024.3.1" if 'id="header-tabs"' in page else "2024.1.0")
    return page


def _load_assets(site: Site, tally: Tally, over: threading.Event, random: Random) -> None:
    """Load what a page names some seconds after the page: perhaps the other release serves then."""
    browser = Browser(site.port, tally)
    while not over.wait(random.uniform(0.5, 1.5) * LOOK_SECONDS):
        with suppress(UnexpectedError):
            page = _look_at_talk(browser, site, tally, random.randrange(len(site.talks)))
            assets = re.findall(r'"(/static/CACHE/[^"]+)"', page)
            over.wait(random.uniform(0, OLD_PAGE_SECONDS))
            for asset in assets[:3]:
                browser.get(asset)
    browser.close()


def _give_feedback(site: Site, tally: Tally, over: threading.Event, random: Random) -> None:
    """Write something that is nowhere else; only what was acknowledged counts as written."""
    mark = f"visitor {random.getrandbits(48):012x}"
    for number in itertools.count(1):
        if over.wait(random.uniform(0.5, 1.5) * WRITE_SECONDS):
            return
        browser = Browser(site.port, tally)  # another person, so no session either
        text = f"{mark}, thought {number}"
        with suppress(UnexpectedError):
            form = forms.opened(browser, f"/conf/talk/{random.choice(site.talks)}/feedback/")
            forms.sent(browser, form, {"review": text})
            tally.acknowledged(text)
        browser.close()
