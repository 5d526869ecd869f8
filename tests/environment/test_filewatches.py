"""Whom environment.toml tells what happens in a bucket: in order, until it is taken."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dayfly.config.environment import FilesWatch
from dayfly.config.home import Home, create
from dayfly.config.load import load_environment
from dayfly.config.secrets import Secrets
from dayfly.environment import archive
from dayfly.environment.alerting.telling import Webhook
from dayfly.environment.filewatches import FileWatches
from dayfly.files.repository import Repository


@dataclass
class Receiver:
    url: str = ""
    answers: list[int] = field(default_factory=list)  # statuses, one a request; then 200
    taken: list[dict[str, Any]] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        return [each["key"] for taken in self.taken for each in taken["changes"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = found.answers.pop(0) if found.answers else 200
            if status == 200:
                found.taken.append(body)
            found.shown.append(self.headers["authorization"])
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}/changes"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Watched:
    watches: FileWatches
    watch: FilesWatch
    repository: Repository
    clock: list[float]

    def put(self, *keys: str, bucket: str = "orders") -> None:
        for key in keys:
            with self.repository.stage(bucket) as staged:
                self.repository.put(staged, key)

    def round(self, *, after: float = 0.0) -> None:
        self.clock[0] += after
        self.watches.round("intake", self.watch)

    def told(self) -> dict[str, Any]:
        (found,) = archive.state(self.watches.home)["watches"]
        return dict(found)


@pytest.fixture
def watched(tmp_path: Path, receiver: Receiver) -> Iterator[Watched]:
    home = Home(tmp_path / "home")
    home.path.mkdir()
    text = f'[files.watch.intake]\nurl = "{receiver.url}"\nbucket = "orders"\nprefix = "in/"\n'
    home.environment_toml.write_text(f'{text}secret = "TOKEN"\n')
    create(home)
    Secrets(home.secrets).set("dayfly", "TOKEN", "open sesame")
    settings = load_environment(home.environment_toml.read_text())
    place, clock = archive.place(home, settings), [0.0]
    with closing(Repository(place.root, place.index)) as repository:
        repository.create_bucket("orders", owner="orders")
        repository.create_bucket("other", owner="orders")
        watches = FileWatches(home, settings, now=lambda: clock[0])
        made = Watched(watches, settings.files.watch["intake"], repository, clock)
        made.put("in/before")
        made.round()
        yield made
        watches.close()


def test_what_happens_is_told_in_order(watched: Watched, receiver: Receiver) -> None:
    watched.put("in/a", "out/b", "in/c", "in/a")
    watched.put("in/d", bucket="other")
    watched.round()
    watched.repository.delete("orders", "in/c")
    watched.round()
    watched.round()

    first, second = receiver.taken
    assert receiver.keys == ["in/a", "in/c", "in/a", "in/c"]
    assert [each["kind"] for each in first["changes"]] == ["put", "put", "put"]
    assert (second["changes"][0]["kind"], second["missed"]) == ("removed", False)
    assert (first["watch"], first["environment"]) == ("intake", "production")
    assert set(receiver.shown) == {"Bearer open sesame"}
    assert watched.told() == {"name": "intake", "told": 4, "problem": None}


def test_what_is_not_taken_is_told_again(watched: Watched, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    watched.put("in/a", "in/b")
    watched.round()
    assert "answers 500" in watched.told()["problem"]
    watched.round()
    watched.round(after=0.9)
    assert len(receiver.shown) == 1  # nobody is pressed
    watched.round(after=0.2)
    watched.put("in/c")
    watched.round(after=5)

    assert (receiver.keys, watched.told()["problem"]) == (["in/a", "in/b", "in/c"], None)


def test_who_comes_again_goes_on_where_it_was(watched: Watched, receiver: Receiver) -> None:
    watched.put("in/a")
    watched.round()
    watched.put("in/b")
    again = FileWatches(watched.watches.home, watched.watches.settings)
    again.round("intake", watched.watch)
    again.close()

    assert receiver.keys == ["in/a", "in/b"]


def test_many_changes_are_told_in_portions(watched: Watched, receiver: Receiver) -> None:
    keys = [f"in/{number:03}" for number in range(150)]
    watched.put(*keys)
    watched.round()

    assert [len(each["changes"]) for each in receiver.taken] == [100, 50]
    assert receiver.keys == keys


def test_a_server_that_ends_does_not_tell_the_whole_backlog(watched: Watched) -> None:
    watched.put(*(f"in/{number:03}" for number in range(250)))
    told: list[object] = []

    def ends(_: Webhook, value: Mapping[str, object]) -> None:
        told.append(value)
        again.close()

    again = FileWatches(watched.watches.home, watched.watches.settings, post=ends)
    again.round("intake", watched.watch)

    assert len(told) == 1


def test_who_was_away_for_too_long_is_told_so(watched: Watched, receiver: Receiver) -> None:
    watched.put("in/a", "in/b", "in/c")
    watched.repository.care.forget_changes(kept=1)
    watched.round()

    assert (receiver.keys, receiver.taken[0]["missed"]) == (["in/c"], True)


def test_a_secret_that_is_missing_is_told(watched: Watched, receiver: Receiver) -> None:
    Secrets(watched.watches.home.secrets).remove("dayfly", "TOKEN")
    watched.put("in/a")
    watched.round()

    assert "no value for the secret TOKEN" in watched.told()["problem"]
    assert receiver.shown == []
