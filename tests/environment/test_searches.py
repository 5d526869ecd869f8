"""Questions about logs, as the environment hands them on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from asked import NOW
from asked import serving as storing
from breaking import CHUNKED, COUNTED, saying
from dayfly.client import Client, ClientError
from dayfly.config.home import Home, create
from dayfly.environment import searches
from fake_server import serving


@contextmanager
def handing_on(home: Home, store: str) -> Iterator[Client]:
    create(home)
    listen = store.removeprefix("http://")
    (home.logs / "settings.json").write_text(json.dumps({"listen": listen}))
    (home.logs / "token").write_text("secret")
    environment: Any = SimpleNamespace(parts=SimpleNamespace(home=home))

    async def ask(request: Request) -> Response:
        return await searches.ask(environment, request)

    with serving([Route("/api/logs/{question:path}", ask)]) as address:
        yield Client(address, "")


def test_an_answer_comes_as_the_store_gives_it(tmp_path: Path) -> None:
    records = [{"time": int(NOW) * 10**9 - n, "message": f"{n} {'x' * 999}"} for n in range(999)]
    with storing(tmp_path / "store", token="secret") as store:
        store.ingest(*records)
        with handing_on(Home(tmp_path / "home"), store.address) as client:
            found = [json.loads(row) for row in client.lines("/api/logs/search", limit=999)]
            with pytest.raises(ClientError, match="found `loud`") as refused:
                client.get("/api/logs/histogram", query="level:>=loud")

    assert [row["message"] for row in found] == [each["message"] for each in records]
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "answer",
    [COUNTED + b"{}\n", CHUNKED + b"3\r\n{}\n\r\n", CHUNKED + b"3\r\n{}\n\r\n9\r\n{}\n"],
)
def test_an_answer_that_breaks_off_breaks_off_for_who_asked(tmp_path: Path, answer: bytes) -> None:
    with saying(answer) as store, handing_on(Home(tmp_path), store) as client:
        lines = client.lines("/api/logs/search")
        assert next(lines) == "{}"
        with pytest.raises(ClientError, match="broke off"):
            list(lines)
