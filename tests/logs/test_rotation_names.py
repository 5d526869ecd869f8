"""Which names rotation gives: of files that were rotated while no forwarder ran."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.logs.forwarder.names import is_rotation

LOG = Path("/logs/app.log")
# Of app.log, by what makes them so.
ROTATED = [
    "app.log.1",  # logrotate, Python's RotatingFileHandler, Docker's json-file
    "app.1.log",  # logrotate with `extension`, NLog
    "app.log-20261127",  # logrotate's dateext
    "app-20261127.log",
    "app.log-20261127-1795781234",  # dateformat -%Y%m%d-%s
    "app.log-2026112712",  # hourly
    "app.log.1795781234",  # rotatelogs of Apache
    "app.log-27112026",
    "app.log_2026-11-27_12:08:00",
    "app.log.2026-11-27",  # Python's TimedRotatingFileHandler, log4j, winston-daily-rotate-file
    "app.log.2026-11-27_12",
    "app.log.2026-11-27_12-08-00",
    "app.log.2026-11-27.1",
    "app-2026-11-27.log",
    "app-2026-11-27-14.log",
    "app-2026-11-27.0.log",  # logback
    "app.2026-11.log",
    "app-11-27-2026-1.log",  # log4j2
    "app-27-Nov-2026.log",
    "app.log2026-11-27",  # log4net
    "app.log20261127",
    "app-2026-11-27T12-08-00.000.log",  # lumberjack of Go
    "app-2026-11-27T12-08-00.000Z.log",
    "app.2026-11-27T12:08:00+0100.log",
    "app__2026-11-27_00-00-00.log",  # pm2-logrotate
    "app.log.20261127120800",
    "app.log.20261127-120800",  # kubelet
    "app.log.202611271208",
    "app_20261127.log",
    "app_20261127_120800.log",
    "2026-11-27-app.log",
    "20261127_app.log",
    "app.log.old",
    "app.old.log",
    "app.log.bak1",
    "app.log.bak",
    "app.log_backup",
    "app.log.prev",
    "app.log.1.old",
    "app.log~",
]
OTHERS = [
    "app.log",
    "application.log",
    "app2.log",
    "app-web.log",
    "app.login",
    "app.log.tmp",
    "app-error.log",
    "web-app.log",
    "other.log.1",
    "app-1.txt",
    "app.log.1x",
    "app",
]


@pytest.mark.parametrize("name", ROTATED)
def test_a_name_that_rotation_gave(name: str) -> None:
    assert is_rotation(LOG.with_name(name), LOG)


@pytest.mark.parametrize("name", OTHERS)
def test_a_name_of_something_else(name: str) -> None:
    assert not is_rotation(LOG.with_name(name), LOG)


@pytest.mark.parametrize("end", ["", ".s", ".u", ".t"])
def test_what_svlogd_and_multilog_call_a_full_file(end: str) -> None:
    full = Path(f"/logs/@4000000065673a2b1c2d3e4f{end}")

    assert is_rotation(full, Path("/logs/current"))
    assert not is_rotation(full, LOG)


def test_a_file_of_another_folder_is_no_rotation() -> None:
    assert not is_rotation(Path("/old/app.log.1"), LOG)


@given(
    some.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - of no zone
    some.sampled_from(["%Y%m%d", "%Y-%m-%d", "%d-%m-%Y", "%Y_%m_%d", "%s"]),
    some.sampled_from(["", "-%H", "_%H-%M", "-%H%M%S", "T%H-%M-%S"]),
    some.sampled_from(["app.log.{}", "app.log-{}", "app-{}.log", "app_{}.log", "app.log-{}.7"]),
)
def test_a_date_makes_a_name(moment: datetime, date: str, clock: str, name: str) -> None:
    moment = moment.replace(year=max(moment.year, 2002), tzinfo=UTC)  # %s of ten digits

    assert is_rotation(LOG.with_name(name.format(moment.strftime(date + clock))), LOG)


@given(some.text("0123456789-_.T", max_size=200))
def test_no_name_takes_long(tag: str) -> None:
    is_rotation(LOG.with_name(f"app.log{tag}x"), LOG)
