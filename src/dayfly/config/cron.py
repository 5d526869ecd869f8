"""When a scheduled job is due: cron's five fields, read as Debian's cron reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from dayfly.errors import DayflyError

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = 5
ALLOWED = (
    'five fields (minute, hour, day of month, month, day of week) such as "30 2 * * *", '
    f"or one of {', '.join(_NAMED)}"
)


class CronError(DayflyError):
    """A text is no schedule, or one that never comes."""


@dataclass(frozen=True)
class Schedule:
    """The ticks of a job, also where clocks change.

    A job at a set time runs once then: at the end of a skipped hour, in the first of two repeated
    ones. A job whose minute or hour starts with `*` runs by elapsed time.
    """

    fields: str

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The first tick later than an aware `moment`, as UTC."""
        return next(self._ticks(moment, zone))

    def ticks_between(self, after: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
        """All ticks later than `after`, up to and including `until`, as UTC."""
        for tick in self._ticks(after, zone):
            if tick > until:
                return
            yield tick

    def _ticks(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        last = after.astimezone(UTC)
        for local in CronSim(self.fields, after.astimezone(zone)):
            tick = local.astimezone(UTC)
            if tick > last:  # two times of a skipped hour are one tick; a repeated one is past
                yield tick
                last = tick


def schedule(text: str) -> Schedule:
    """The schedule that a text means; CronError for one that is none or never comes."""
    fields = _NAMED.get(text.strip().lower(), text)
    try:
        if len(fields.split()) != _FIELDS:
            raise CronError(f"allowed are {ALLOWED}")
        next(CronSim(fields, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise CronError(f"{str(error).lower()}; allowed are {ALLOWED}") from error
    except StopIteration as error:
        raise CronError("never comes") from error
    return Schedule(fields)


def zone_of(name: str) -> tzinfo:
    """The time zone of this name, such as Europe/Vienna; ValueError when there is none."""
    if name == "UTC":
        return UTC  # also where the system has no zone files
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as error:
        raise ValueError(name) from error
