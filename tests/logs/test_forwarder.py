"""What the forwarder makes of files: rotation, parts of lines, stamps, a full spool, no store."""

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.logs.forwarder.checkpoint import acknowledged
from forwarding import SECONDS, Scene, pause, scene


def started(made: Scene) -> None:
    made.start("store")
    made.start("forwarder")


def wait_for(made: Scene, *messages: str) -> None:
    wait_until(
        lambda: sorted(record["message"] for record in made.records()) == sorted(messages),
        seconds=SECONDS,
        what=f"the store has {messages}",
    )


def append(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def test_a_record_carries_what_is_known_of_its_file_and_what_its_line_says(tmp_path: Path) -> None:
    stamps = {"app": "orders", "release": 41, "process": "web"}
    with scene(tmp_path, host="host-a") as made:
        settings = json.loads((made.state / "forwarder.json").read_text())
        settings["files"] = [{"path": f"{made.logs}/*.log", "stamps": stamps}]
        (made.state / "forwarder.json").write_text(json.dumps(settings))
        now = datetime.now(UTC).replace(microsecond=0)
        append(
            made.logs / "app.log",
            f'{{"time":"{now.isoformat()}","level":"warn","msg":"x","n":4}}\n',
        )
        started(made)
        wait_for(made, "x")

        assert made.records() == [
            {
                "time": int(now.timestamp()) * 10**9,
                "message": "x",
                **stamps,
                "host": "host-a",
                "stream": "app.log",
                "level": "warning",
                "fields": {"n": 4},
            }
        ]


def test_machines_are_read_when_they_are_described(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        settings = json.loads((made.state / "forwarder.json").read_text())
        settings |= {"files": [], "output": str(made.logs)}
        (made.state / "forwarder.json").write_text(json.dumps(settings))
        inside = made.logs / "orders-41-web-1" / "files" / "log"
        inside.mkdir(parents=True)
        output = made.logs / "orders-41-web-1" / "output.log"
        append(output, "said\nthe last words, without an end")
        for number, text in ((2, "oldest\n"), (1, "older\n")):  # before anybody looked
            append(inside / f"app.log.{number}", text)
        append(inside / "app.log", "written\n")
        started(made)
        pause(2)
        assert made.records() == []
        assert not acknowledged(made.state, output)

        machine = {"app": "orders", "release": 41, "process": "web"}
        (output.parent / ".machine.json").write_text(json.dumps(machine))
        (output.parent / ".ended").touch()
        made.wait_for_all(output, *(inside / f"app.log{end}" for end in ("", ".1", ".2")))
        found = {
            (each["message"], each["stream"], each["app"], each["release"], each["machine"])
            for each in made.records()
        }

        same = ("orders", 41, "orders-41-web-1")
        assert found == {
            ("said", "stdout", *same),
            ("the last words, without an end", "stdout", *same),
            *((text, "log/app.log", *same) for text in ("written", "older", "oldest")),
        }


def test_a_part_of_a_line_waits_for_the_rest(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "first\nsec")
        started(made)
        wait_for(made, "first")
        pause(7)
        wait_for(made, "first")
        assert not acknowledged(made.state, log)
        append(log, "ond\n")
        wait_for(made, "first", "second")


def test_a_line_that_is_never_ended_is_sent_as_it_is(tmp_path: Path) -> None:
    with scene(tmp_path, partial_seconds=2) as made:
        log = made.logs / "app.log"
        append(log, "first\nnever ended")
        started(made)
        wait_for(made, "first", "never ended")
        made.wait_for_all(log)
        append(log, ", or late\n")
        wait_for(made, "first", "never ended", ", or late")


def test_a_traceback_is_one_record(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        started(made)
        append(log, 'ERROR:root:failed\nTraceback (most recent call last):\n  File "a.py"\n')
        append(log, "ValueError: no\nINFO:root:on\n")
        wait_for(
            made,
            'failed\nTraceback (most recent call last):\n  File "a.py"\nValueError: no',
            "on",
        )


def test_bytes_that_are_no_text_arrive(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        append(
            made.logs / "app.log",
            b"caf\xe9\nin\0side\n\0\0after a hole\r\n" + b"y" * 1_500_000 + b"\n",
        )
        started(made)
        wait_for(
            made, "caf�", "in␀side", "after a hole", "y" * (1 << 20), "y" * (1_500_000 - (1 << 20))
        )


@pytest.mark.parametrize("running", [True, False])
def test_rotation_by_renaming_loses_and_doubles_nothing(tmp_path: Path, *, running: bool) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "one\n")
        started(made)
        wait_for(made, "one")
        if not running:
            made.kill("forwarder")
        append(log, "two\n")
        for number, text in enumerate(("three\n", "four\n")):
            log.rename(f"{log}.{9 - number}")
            append(log, text)
        if not running:
            made.start("forwarder")
        wait_for(made, "one", "two", "three", "four")
        append(Path(f"{log}.9"), "late\n")
        wait_for(made, "one", "two", "three", "four", "late")


def test_rotation_is_followed_whatever_it_calls_the_files(tmp_path: Path) -> None:
    """The first was seen before, so any name will do; the others by what is usual."""
    names = [
        "kept-by-hand",
        "app-2026-11-27T12-08-00.000.log",
        "app_20261127.log",
        "app.log.bak1",
        "app.log.2026-11-27_12",
    ]
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "line 0\n")
        started(made)
        wait_for(made, "line 0")
        made.kill("forwarder")
        for number, name in enumerate(names):
            append(log, f"line {number}, later\n")
            log.rename(made.logs / name)
        append(log, "now\n")
        made.start("forwarder")
        wait_for(made, "line 0", "now", *(f"line {each}, later" for each in range(len(names))))


def test_another_file_that_got_a_deleted_files_inode_is_not_read(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log, other = made.logs / "app.log", made.logs / "private"
        append(log, "one\n")
        started(made)
        wait_for(made, "one")
        made.kill("forwarder")
        log.unlink()
        append(other, "longer than what was there before\n")
        checkpoint = json.loads((made.state / "checkpoint.json").read_text())
        checkpoint["positions"][0]["inode"] = other.stat().st_ino  # as it may happen
        (made.state / "checkpoint.json").write_text(json.dumps(checkpoint))
        made.start("forwarder")
        append(log, "two\n")
        wait_for(made, "one", "two")
        pause(2)
        wait_for(made, "one", "two")


@pytest.mark.parametrize("running", [True, False])
def test_rotation_by_copying_and_cutting_loses_nothing(tmp_path: Path, *, running: bool) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "one of many words\n")
        started(made)
        wait_for(made, "one of many words")
        if not running:
            made.kill("forwarder")
        append(log, "two\n")
        Path(f"{log}.1").write_bytes(log.read_bytes())
        os.truncate(log, 0)
        append(log, "three, longer than all that was there before it\n")
        if not running:
            made.start("forwarder")
        wait_for(
            made, "one of many words", "two", "three, longer than all that was there before it"
        )


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("more", [0, 40])
def test_a_log_that_begins_anew_is_another_one(tmp_path: Path, *, running: bool, more: int) -> None:
    """Of the same length too, and although its last lines are alike."""
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        ticks = ["tick"] * 100
        append(log, "\n".join(["start 1", *ticks, ""]))
        started(made)
        wait_for(made, "start 1", *ticks)
        victim = made.processes["forwarder"]
        if running:
            victim.send_signal(signal.SIGSTOP)  # so that it does not see the cut
        else:
            made.kill("forwarder")
        log.write_text("\n".join(["start 2", *ticks, *ticks[:more], ""]))
        if running:
            victim.send_signal(signal.SIGCONT)
        else:
            made.start("forwarder")
        wait_for(made, "start 1", *ticks, "start 2", *ticks, *ticks[:more])


def test_a_log_that_is_shorter_than_before_is_another_one(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "tick\n" * 50)
        started(made)
        wait_for(made, *["tick"] * 50)
        made.kill("forwarder")
        log.write_text("tick\n" * 49)
        made.start("forwarder")
        wait_for(made, *["tick"] * 99)


def test_a_log_that_was_touched_is_the_same(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "one\n")
        started(made)
        wait_for(made, "one")
        log.touch()
        pause(3)
        append(log, "two\n")
        wait_for(made, "one", "two")


def test_a_deleted_file_is_read_to_its_end(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "one\n")
        started(made)
        wait_for(made, "one")
        with log.open("ab", buffering=0) as file:
            log.unlink()
            file.write(b"after its deletion\n")
            append(log, "of the new one\n")
            wait_for(made, "one", "after its deletion", "of the new one")


def test_links_out_of_the_folder_are_not_read(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        append(tmp_path / "secret", "secret\n")
        (made.logs / "link.log").symlink_to(tmp_path / "secret")
        os.mkfifo(made.logs / "pipe.log")
        append(made.logs / "app.log", "fine\n")
        started(made)
        wait_for(made, "fine")
        pause(1)
        wait_for(made, "fine")


def test_a_store_that_is_away_costs_nothing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        made.start("forwarder")
        for number in range(20):
            append(log, f"line {number}\n")
            pause(0.05)
        wait_until(lambda: _read(made) == log.stat().st_size, seconds=SECONDS, what="all is read")
        assert not acknowledged(made.state, log)
        assert made.kill("forwarder", signal.SIGTERM) == 0
        log.unlink()  # what was read is on disk
        started(made)
        wait_for(made, *(f"line {number}" for number in range(20)))


def test_what_the_store_refuses_for_good_is_put_aside(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        (tmp_path / "answer").write_text("400")
        append(log, "refused\n")
        started(made)
        made.wait_for_all(log)
        (tmp_path / "answer").unlink()
        append(log, "taken\n")
        wait_for(made, "taken")

        assert len(list((made.state / "refused").iterdir())) == 1
        assert "refused a batch (400)" in made.said("forwarder")


def noise(lines: int) -> bytes:
    return b"".join(os.urandom(500).hex().encode() + b"\n" for _ in range(lines))


def test_a_full_spool_blocks_and_nothing_is_lost(tmp_path: Path) -> None:
    with scene(tmp_path, limit=1_000_000, full="block") as made:
        log = made.logs / "app.log"
        append(log, noise(8000))
        made.start("forwarder")
        spool = made.state / "spool"
        wait_until(lambda: _size(spool) > 1_000_000, seconds=SECONDS, what="the spool is full")
        pause(1)
        assert _size(spool) < 2_000_000

        made.start("store")
        made.wait_for_all(log)
        assert len(made.records()) == 8000


def test_a_full_spool_drops_the_oldest_where_that_is_the_policy(tmp_path: Path) -> None:
    with scene(tmp_path, limit=1_000_000, full="drop oldest") as made:
        log = made.logs / "app.log"
        append(log, noise(8000) + b"the last\n")
        made.start("forwarder")
        wait_until(lambda: _read(made) == log.stat().st_size, seconds=SECONDS, what="all is read")
        made.start("store")
        made.wait_for_all(log)
        records = made.records()
        checkpoint = (made.state / "checkpoint.json").read_text()
        dropped = json.loads(checkpoint)["lost"]["dropped_lines"]
        assert dropped > 0
        assert len(records) + dropped == 8001
        assert records[-1]["message"] == "the last"
        assert "the oldest lines are dropped" in made.said("forwarder")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.batch"))


def _read(made: Scene) -> int:
    checkpoint = made.state / "checkpoint.json"
    positions = json.loads(checkpoint.read_text())["positions"] if checkpoint.exists() else []
    return int(positions[0]["read"]) if positions else 0


def test_a_second_forwarder_of_one_folder_waits_for_the_first(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        append(made.logs / "app.log", "one\n")
        started(made)
        wait_for(made, "one")
        first = made.processes.pop("forwarder")
        made.start("forwarder")
        append(made.logs / "app.log", "two\n")
        wait_for(made, "one", "two")
        first.kill()
        first.wait(30)
        append(made.logs / "app.log", "three\n")
        wait_for(made, "one", "two", "three")


def test_several_rotations_between_two_looks_lose_nothing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        renamed, copied = made.logs / "renamed.log", made.logs / "copied.log"
        append(renamed, "renamed 0\n")
        append(copied, "copied 0\n")
        started(made)
        wait_for(made, "renamed 0", "copied 0")
        forwarder = made.processes["forwarder"]
        forwarder.send_signal(signal.SIGSTOP)
        for number in range(1, 4):
            append(renamed, f"renamed {number}\n")
            append(copied, f"copied {number}\n")
            renamed.rename(f"{renamed}.{9 - number}")
            Path(f"{copied}.{9 - number}").write_bytes(copied.read_bytes())
            os.truncate(copied, 0)
        renamed.touch()
        forwarder.send_signal(signal.SIGCONT)
        expected = [f"{kind} {number}" for kind in ("renamed", "copied") for number in range(4)]
        wait_for(made, *expected)
        made.wait_for_all(*made.logs.iterdir())


def test_a_copy_that_somebody_made_is_not_read(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        append(log, "one\ntwo\n")
        started(made)
        wait_for(made, "one", "two")
        Path(f"{log}.bak").write_bytes(log.read_bytes())
        append(log, "three\n")
        wait_for(made, "one", "two", "three")
        log.rename(f"{log}.1")
        append(log, "four\n")
        wait_for(made, "one", "two", "three", "four")
        pause(2)
        wait_for(made, "one", "two", "three", "four")


def test_contents_whose_lines_end_alike_are_told_apart(tmp_path: Path) -> None:
    """Of the same length too, as what a program says each minute may be."""
    with scene(tmp_path) as made:
        log = made.logs / "app.log"
        lines = [f"beat {number} {'x' * 100}" for number in range(8)]

        def rotate(number: int) -> None:
            """Two lines each time."""
            append(log, "".join(f"{line}\n" for line in lines[2 * number : 2 * number + 2]))
            Path(f"{log}.{9 - number}").write_bytes(log.read_bytes())
            os.truncate(log, 0)

        append(log, "")
        started(made)
        rotate(0)
        wait_for(made, *lines[:2])
        forwarder = made.processes["forwarder"]
        forwarder.send_signal(signal.SIGSTOP)
        for number in range(1, 4):
            rotate(number)
        forwarder.send_signal(signal.SIGCONT)
        wait_for(made, *lines)
