import socket
import threading
import time
from pathlib import Path

import pytest

from dayfly.client import Client, ClientError
from fake_server import TOKEN, FakeEnvironment, routes, serving
from ports import free_port


def test_events_go_on_after_a_restart_of_the_server() -> None:
    """None is lost and none comes twice, although the server was away in between."""
    environment, port = FakeEnvironment(), free_port()
    client = Client(f"http://127.0.0.1:{port}", TOKEN)
    seen: list[int] = []
    events = client.events("/api/releases/1/events")

    def follow() -> None:
        seen.extend(event.number for event in events)

    follower = threading.Thread(target=follow)
    with serving(routes(environment), port):
        environment.happen("release.started", 1)
        follower.start()
        environment.happen("note", 1, message="one")
        time.sleep(0.3)
    environment.happen("note", 1, message="while nobody served")
    time.sleep(0.5)
    with serving(routes(environment), port):
        environment.happen("release.finished", 1, outcome="serving")
        follower.join(10)

    assert seen == [1, 2, 3, 4]


def test_a_finished_stream_is_asked_for_again_but_not_for_ever() -> None:
    environment = FakeEnvironment()
    last = environment.happen("release.finished", 1, outcome="serving")
    environment.happen("release.finished", 1, outcome="serving")
    with serving(routes(environment)) as address:
        events = Client(address, TOKEN).events("/api/releases/1/events", last.number)
        assert [event.number for event in events] == [2]


def test_a_wrong_token_is_told_at_once() -> None:
    with serving(routes(FakeEnvironment())) as address:
        client = Client(address, "another")
        with pytest.raises(ClientError, match="Not with this token") as caught:
            next(client.events("/api/events"))
        assert caught.value.status == 401


def test_a_file_is_sent_whole(tmp_path: Path) -> None:
    environment, file = FakeEnvironment(), tmp_path / "bundle"
    file.write_bytes(bytes(range(256)) * 4096)
    with serving(routes(environment)) as address:
        Client(address, TOKEN).upload("/api/sources/orders", file)

    assert environment.uploads == [file.read_bytes()]


@pytest.mark.parametrize("address", ["127.0.0.1:80", "ftp://host", ""])
def test_an_address_is_one_of_http(address: str) -> None:
    with pytest.raises(ClientError, match="not the address of a server"):
        Client(address, TOKEN).get("/api/status")


def test_something_else_at_the_address_is_told() -> None:
    with serving([]) as address, pytest.raises(ClientError, match="answered 404"):
        Client(address, TOKEN).get("/api/status")


def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ")

        answering = threading.Thread(target=answer)
        answering.start()
        client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", TOKEN)
        with pytest.raises(ClientError, match="does not answer") as caught:
            list(client.pieces("/api/releases/1/vm"))
        answering.join()

    assert caught.value.status is None
