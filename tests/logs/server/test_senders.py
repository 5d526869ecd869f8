"""Programs as people have them send to the log server, over its own port."""

import importlib
import importlib.util
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asked import NOW, TOKEN, Server, missing, serving
from dayfly.logs.intake.body import Room
from dayfly.logs.store.settings import Settings

MODULE = "/usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so"


@pytest.fixture
def room() -> Room:
    return Room(patience=6)


@pytest.fixture
def guarded(tmp_path: Path, room: Room) -> Iterator[Server]:
    with serving(tmp_path / "store", token=TOKEN, room=room) as served:
        yield served


def of_elasticsearch(name: str) -> Any:  # noqa: ANN401 - a module
    if importlib.util.find_spec("elasticsearch") is None:
        missing("elasticsearch-py")
    return importlib.import_module(name)


@contextmanager
def client(server: Server, **told: object) -> Iterator[tuple[Any, Any]]:
    """A client of elasticsearch-py, and its helpers."""
    elasticsearch = of_elasticsearch("elasticsearch")
    with elasticsearch.Elasticsearch(server.address, basic_auth=("x", TOKEN), **told) as made:
        yield made, of_elasticsearch("elasticsearch.helpers")


def documents(count: int) -> list[dict[str, Any]]:
    at = datetime.fromtimestamp(NOW - 60, UTC).isoformat()
    return [
        {"_index": "logs", "_source": {"@timestamp": at, "message": f"line {n}", "n": n}}
        for n in range(count)
    ]


def test_elasticsearch_py_sends_in_bulk(guarded: Server) -> None:
    with client(guarded) as (sender, helpers):
        assert sender.info()["version"]["number"]
        assert sender.ping()
        assert helpers.bulk(sender, documents(1200)) == (1200, [])

    assert guarded.search("line | count()").lines == [{"count": 1200}]
    assert guarded.messages("n:1199") == ["line 1199"]


def test_elasticsearch_py_is_told_which_documents_are_wrong(guarded: Server) -> None:
    mixed = [*documents(2), {"_op_type": "delete", "_index": "logs", "_id": "x"}]
    with client(guarded) as (sender, helpers):
        taken, errors = helpers.bulk(sender, mixed, raise_on_error=False)

    assert (taken, [error["delete"]["status"] for error in errors]) == (2, [400])


def test_elasticsearch_py_packs_and_is_refused_by_status(tmp_path: Path) -> None:
    with (
        serving(tmp_path, token=TOKEN, room=Room(most_body=5000)) as server,
        client(server, http_compress=True, max_retries=0) as (sender, helpers),
    ):
        assert helpers.bulk(sender, documents(20)) == (20, [])
        with pytest.raises(of_elasticsearch("elasticsearch").ApiError) as refused:
            helpers.bulk(sender, documents(200))
        assert refused.value.status_code == 413
        assert not sender.indices.exists_index_template(name="mine")


def test_elasticsearch_py_is_told_to_come_again_when_there_is_no_room(tmp_path: Path) -> None:
    full = Settings(reserve=1 << 60)
    with (
        serving(tmp_path, token=TOKEN, settings=full) as server,
        client(server, max_retries=0) as (sender, _),
    ):
        with pytest.raises(of_elasticsearch("elasticsearch").ApiError) as refused:
            sender.bulk(operations=[{"index": {"_index": "x"}}, {"message": "x"}])
        assert refused.value.status_code == 429


PAGE = Path(__file__).parents[3] / "docs/reference/logs-http.md"
SOURCE = """
module(load="imfile")
module(load="omelasticsearch")
global(workDirectory="FOLDER")
input(type="imfile" File="FOLDER/app.log" Tag="app" Severity="error" freshStartTail="off"
  ruleset="store")
"""


def documented() -> str:
    """What our page says that rsyslog is told."""
    blocks = PAGE.read_text().split("```\n")[1::2]
    return next(block for block in blocks if "omelasticsearch" in block)


@pytest.fixture
def rsyslog(tmp_path: Path, guarded: Server) -> Iterator[Path]:
    program = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    if not (Path(program).exists() and Path(MODULE).exists()):
        missing("rsyslog with rsyslog-elasticsearch")
    folder = tmp_path / "rsyslog"
    folder.mkdir()
    config = SOURCE + documented()
    for name, value in (("FOLDER", folder), ("PORT", guarded.port), ("TOKEN", TOKEN)):
        config = config.replace(name, str(value))
    (folder / "rsyslog.conf").write_text(config)
    (folder / "app.log").touch()
    command = [program, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")]
    with (folder / "said").open("w") as said:
        running = subprocess.Popen(command, stdout=said, stderr=said)
    yield folder
    running.terminate()
    running.wait(20)


def written(log: Path, count: int) -> list[str]:
    """The lines as they are to be found, newest first."""
    lines = [f'line {n} of «many» "quoted"' for n in range(count)]
    with log.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return lines[::-1]


def assert_found(server: Server, wanted: list[str], rsyslog: Path) -> None:
    until = time.monotonic() + 30
    while (found := server.messages("level:error", limit=1000)) != wanted:
        assert time.monotonic() < until, (found[:3], (rsyslog / "said").read_text())
        time.sleep(0.2)
    assert not (rsyslog / "errors").exists()


def test_rsyslog_sends_what_is_written_to_a_file(guarded: Server, rsyslog: Path) -> None:
    assert_found(guarded, written(rsyslog / "app.log", 300), rsyslog)


def test_rsyslog_waits_until_there_is_room(guarded: Server, rsyslog: Path, room: Room) -> None:
    most, room.most_held = room.most_held, 0
    lines = written(rsyslog / "app.log", 50)
    time.sleep(3)
    assert guarded.messages() == []
    room.most_held = most

    assert_found(guarded, lines, rsyslog)


def test_rsyslog_sends_again_what_found_no_room(
    guarded: Server, rsyslog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("dayfly.logs.store.intake.free_bytes", lambda _: 0)
        lines = written(rsyslog / "app.log", 50)
        time.sleep(3)
        assert guarded.messages() == []

    assert_found(guarded, lines, rsyslog)
