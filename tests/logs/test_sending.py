"""Batches on their way: again and again, one after the other, the very same each time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dayfly.clock import Stop, wait_until
from dayfly.durable import FileError
from dayfly.errors import DayflyError
from dayfly.logs.forwarder.checkpoint import acknowledged
from dayfly.logs.forwarder.forwarder import forward
from dayfly.logs.forwarder.settings import Reading, Spooling
from dayfly.logs.forwarder.stamps import Described, Watch
from dayfly.logs.forwarder.starting import load
from dayfly.logs.forwarder.transport import Http, RefusedError, Send, SendError
from forwarding import SECONDS, scene, unpacked


@contextmanager
def forwarding_from(folder: Path, send: Send) -> Iterator[Path]:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    stop = Stop()
    watch = Watch(root=logs, pattern="*.log", describe=lambda _: Described())
    thread = threading.Thread(
        target=forward,
        args=((watch,), send, Spooling(folder=folder / "state")),
        kwargs={"stop": stop, "reading": Reading(parse=False, look_seconds=0.1)},
    )
    thread.start()
    try:
        yield logs
    finally:
        stop.request("the test ends")
        thread.join(30)


def test_a_batch_is_sent_again_as_it_was_whatever_sending_raises(tmp_path: Path) -> None:
    asked: list[tuple[str, bytes]] = []

    def send(body: bytes, batch: str) -> None:
        asked.append((batch, body))
        if len(asked) < 4:
            raise [SendError("down"), ValueError("a defect"), OSError("gone")][len(asked) - 1]

    with forwarding_from(tmp_path, send) as logs:
        log = logs / "app.log"
        log.write_text("one\n")
        wait_until(
            lambda: (
                (tmp_path / "state/checkpoint.json").exists()
                and acknowledged(tmp_path / "state", log)
            ),
            seconds=SECONDS,
            what="the line is in",
        )

    assert len(asked) == 4
    assert len(set(asked)) == 1


def test_a_file_has_one_batch_under_way_and_keeps_its_order(tmp_path: Path) -> None:
    under_way, most, found = 0, 0, list[str]()

    def send(body: bytes, batch: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        found.extend(each["message"] for each in unpacked(body))
        under_way -= 1

    lines = [f"line {number}" for number in range(100_000)]
    with forwarding_from(tmp_path, send) as logs:
        (logs / "app.log").write_text("\n".join(lines) + "\n")
        wait_until(lambda: len(found) == len(lines), seconds=SECONDS, what="all is in")

    assert most == 1
    assert found == lines


def test_records_of_one_moment_keep_their_order_by_time(tmp_path: Path) -> None:
    times: list[int] = []

    def send(body: bytes, batch: str) -> None:
        times.extend(each["time"] for each in unpacked(body))

    with forwarding_from(tmp_path, send) as logs:
        (logs / "app.log").write_text("\n".join("abc") + "\n")
        wait_until(lambda: len(times) == 3, seconds=SECONDS, what="all is in")

    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (204, None), (409, None), (400, RefusedError), (413, RefusedError)]
    + [(status, SendError) for status in (401, 403, 404, 429, 500, 503, 507)],
)
def test_what_an_answer_means(tmp_path: Path, status: int, error: type[DayflyError] | None) -> None:
    with scene(tmp_path) as made:
        (tmp_path / "answer").write_text(str(status))
        made.start("store")
        http = Http(f"http://127.0.0.1:{made.port}", "secret")
        wait_until(lambda: _reached(http), seconds=SECONDS, what="the store answers")
        if error:
            with pytest.raises(error, match=str(status)):
                http.send(b"", "batch")
        else:
            http.send(b"", "batch")
        http.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "forwarder.json: Input data was truncated"),
        ("{}", "forwarder.json: Object missing required field `url`"),
        ('{"url": "http://x", "full": "burst"}', r"forwarder.json: Invalid enum value 'burst'"),
    ],
)
def test_settings_that_are_wrong_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "forwarder.json").write_text(text)
    with pytest.raises(FileError, match=message):
        load(tmp_path)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(DayflyError, match="not the address of a log store"):
        Http("127.0.0.1:80")


def test_a_zone_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "forwarder.json").write_text('{"url": "http://x", "zone": "Mars/Base"}')
    with pytest.raises(FileError, match="'Mars/Base' is no time zone"):
        load(tmp_path).reading()


def test_an_unknown_file_is_acknowledged_only_when_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "other").write_text("x")

    assert acknowledged(tmp_path, tmp_path / "empty")
    assert not acknowledged(tmp_path, tmp_path / "other")


def _reached(http: Http) -> bool:
    try:
        http.send(b"", "asked")
    except SendError as error:
        return "does not answer" not in error.message
    except RefusedError:
        pass
    return True
