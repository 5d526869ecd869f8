"""Systemd's journal, followed by a real journalctl; every entry comes once."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.command import which
from forwarding import SECONDS, Scene, scene

REMOTE = "/lib/systemd/systemd-journal-remote"


def write(folder: Path, *messages: str, boot: int = 0) -> None:
    """Entries of now, into a journal file of their own."""
    if not (which("journalctl") and Path(REMOTE).exists()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs systemd-journal-remote")
    now = time.time_ns() // 1000
    entries = "".join(
        f"__REALTIME_TIMESTAMP={now + n}\n__MONOTONIC_TIMESTAMP={now + n}\n"
        f"_BOOT_ID=0123456789abcdef0123456789abcde{boot}\n_HOSTNAME=host-a\n_PID=17\n"
        f"SYSLOG_IDENTIFIER=cron\nPRIORITY=3\nSYSLOG_FACILITY=3\n_SYSTEMD_UNIT=cron.service\n"
        f"MESSAGE={message}\n\n"
        for n, message in enumerate(messages)
    )
    output = folder / f"{now}.journal"
    argv = [REMOTE, f"--output={output}", "--split-mode=none", "-"]
    done = subprocess.run(argv, input=entries.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def started(made: Scene, journals: Path) -> None:
    """The forwarder is told to read the journals of a folder."""
    settings = json.loads((made.state / "forwarder.json").read_text())
    read = {"path": f"{made.state}/journal/journal.log", "stamps": {"stream": "journal"}}
    settings |= {"files": [read], "journal": True, "journals": str(journals)}
    (made.state / "forwarder.json").write_text(json.dumps(settings))
    made.start("store")
    made.start("forwarder")
    # What was there before it began is not read.
    wait_until((made.state / "journal" / "begun").exists, seconds=SECONDS, what="it begins")


def wait_for(made: Scene, number: int) -> Counter[str]:
    def there() -> bool:
        return made.lines().total() >= number

    wait_until(there, seconds=SECONDS, what=f"{number} entries", poll=0.2)
    return made.lines()


def test_an_entry_carries_what_the_journal_knows(tmp_path: Path) -> None:
    journals = tmp_path / "journals"
    journals.mkdir()
    with scene(tmp_path) as made:
        started(made, journals)
        write(journals, "job failed")
        wait_for(made, 1)

        (record,) = made.records()
        assert abs(record.pop("time") - time.time_ns()) < 60 * 10**9
        assert record == {
            "message": "job failed",
            "level": "error",
            "host": "host-a",
            "process": "cron",
            "stream": "journal",
            "fields": {"pid": 17, "unit": "cron.service", "facility": "daemon"},
        }


def test_entries_come_once_also_when_the_host_restarts_and_the_forwarder_is_killed(
    tmp_path: Path,
) -> None:
    journals = tmp_path / "journals"
    journals.mkdir()
    with scene(tmp_path) as made:
        started(made, journals)
        write(journals, *(f"first {n}" for n in range(300)))
        wait_for(made, 1)
        made.kill("forwarder", signal.SIGKILL)
        with (made.state / "journal" / "journal.log").open("a") as file:
            file.write('{"torn')
        write(journals, *(f"second {n}" for n in range(300)))
        write(journals, *(f"third {n}" for n in range(100)), boot=1)
        made.start("forwarder")

        found = wait_for(made, 700)

        expected = Counter(f"{word} {n}" for word in ("first", "second") for n in range(300))
        expected.update(f"third {n}" for n in range(100))
        assert found == expected
