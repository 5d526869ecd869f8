"""A conference as organisers would have entered it: talks in a schedule, questions, an upload.

`python fill.py`, once, on an empty database; prints the codes of the talks as a JSON list.
"""

import datetime as dt
import json

import django

django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_scopes import scope, scopes_disabled  # noqa: E402
from pretalx.event.models import Event  # noqa: E402
from pretalx.event.utils import create_organiser_with_team  # noqa: E402
from pretalx.person.models import SpeakerProfile, User  # noqa: E402
from pretalx.schedule.models import Room  # noqa: E402
from pretalx.submission.models import (  # noqa: E402
    Answer,
    AnswerOption,
    Question,
    Resource,
    Submission,
)

TALKS = 6
PASSWORD = "correct horse battery staple"


def conference() -> Event:
    organiser, team = create_organiser_with_team(name="Mayfly e.V.", slug="mayfly", users=[])
    team.members.add(User.objects.create_user(email="ida@example.org", password=PASSWORD))
    team.can_change_event_settings = team.can_change_submissions = True
    team.save()
    yesterday = now().date() - dt.timedelta(days=1)
    event = Event.objects.create(
        name="MayflyConf",
        slug="conf",
        organiser=organiser,
        is_public=True,
        date_from=yesterday,
        date_to=yesterday + dt.timedelta(days=2),
        timezone="UTC",
        email="team@example.org",
        locale_array="en",
        locale="en",
        landing_page_text="# Welcome to MayflyConf",
    )
    team.limit_events.add(event)
    return event


def talk(event: Event, number: int) -> Submission:
    speaker = User.objects.create_user(name=f"Speaker {number}", email=f"s{number}@example.org")
    SpeakerProfile.objects.create(user=speaker, event=event, biography="Flies for a day.")
    submission = Submission.objects.create(
        event=event,
        title=f"Talk number {number}",
        submission_type=event.cfp.default_type,
        abstract=f"What was learnt in year {number}.",
        content_locale="en",
    )
    submission.speakers.add(speaker)
    submission.accept()
    submission.confirm()
    return submission


def schedule(event: Event, submissions: list[Submission]) -> None:
    """All of them began yesterday, so feedback is open."""
    room = Room.objects.create(event=event, name="The pond")
    begin = event.datetime_from + dt.timedelta(hours=1)
    for number, submission in enumerate(submissions):
        slot = submission.slots.first()
        slot.start = begin + dt.timedelta(minutes=20 * number)
        slot.end = slot.start + dt.timedelta(minutes=20)
        slot.room = room
        slot.save()
    event.wip_schedule.freeze("v1.0")


def survey(event: Event, submissions: list[Submission]) -> None:
    """A question with options: the rows that the next version's migration changes."""
    question = Question.objects.create(
        event=event, question="Which level is it?", variant="choices", target="submission"
    )
    options = [
        AnswerOption.objects.create(question=question, answer=level)
        for level in ("beginner", "some experience", "expert")
    ]
    for number, submission in enumerate(submissions):
        option = options[number % len(options)]
        answer = Answer.objects.create(
            question=question, submission=submission, answer=option.answer
        )
        answer.options.add(option)


def upload(submission: Submission) -> None:
    slides = ContentFile(b"the slides of the first talk", name="slides.txt")
    Resource.objects.create(submission=submission, resource=slides, description="Slides")


with scopes_disabled(), transaction.atomic():
    event = conference()
    with scope(event=event):
        submissions = [talk(event, number) for number in range(1, TALKS + 1)]
        schedule(event, submissions)
        survey(event, submissions)
        upload(submissions[0])
print(json.dumps([submission.code for submission in submissions]))  # noqa: T201
