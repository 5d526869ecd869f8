"""Organisers of the conference: they sign in, and add questions with answers to choose from.

They use pretalx's own pages, so each answer option is inserted by the ORM of the release that
serves: 2024.1.0 leaves out `position`, which 2024.3.1 adds without a default that stays.
"""

import itertools
import threading
from contextlib import suppress
from random import Random

from conference import forms
from conference.browser import Browser, UnexpectedError
from conference.site import Site
from conference.tally import Tally

ORGANISERS = 3
ASK_SECONDS = 2.0  # between two questions of one organiser
OPTIONS = 2  # of each question
_SESSION = "pretalx_session"
_WHO = {"login_email": "ida@example.org", "login_password": "correct horse battery staple"}
_QUESTION = {
    "target": "submission",
    "variant": "choices",
    "question_required": "optional",
    "form-TOTAL_FORMS": str(OPTIONS),
    "form-INITIAL_FORMS": "0",
}


def signed_in(port: int) -> str:
    """The cookie of a new session; UnexpectedError where pretalx lets nobody in."""
    browser = Browser(port, Tally())
    answer = forms.sent(browser, forms.opened(browser, "/orga/login/"), _WHO)
    browser.close()
    return f"{_SESSION}={forms.cookie(answer, _SESSION)}"


def ask_questions(
    site: Site, tally: Tally, over: threading.Event, random: Random, *, session: str
) -> None:
    """Only what was acknowledged counts as written."""
    mark = f"organiser {random.getrandbits(48):012x}"
    browser = Browser(site.port, tally)
    for number in itertools.count(1):
        if over.wait(random.uniform(0.5, 1.5) * ASK_SECONDS):
            break
        question = f"{mark}, question {number}"
        with suppress(UnexpectedError):
            tally.offered(_asked(browser, question, session))
    browser.close()


def _asked(browser: Browser, question: str, session: str) -> list[str]:
    """The options that it was saved with."""
    path = "/orga/event/conf/cfp/questions/new"
    form = forms.opened(browser, path, shows='name="form-TOTAL_FORMS"', cookies=session)
    options = [f"{question}, option {number}" for number in range(OPTIONS)]
    answers = {f"form-{number}-answer_0": text for number, text in enumerate(options)}
    forms.sent(browser, form, {**_QUESTION, "question_0": question, **answers})
    return options
