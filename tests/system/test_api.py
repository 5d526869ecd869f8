"""What programs get that talk to the server wrongly: the right status, and words to act on."""

import http.client
import json
import urllib.request
from typing import Any

import pytest

from dayfly.clock import wait_until
from dayfly.config.home import token
from production import Production, Project

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]


def ask(
    prod: Production, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, Any]]:
    sent = {"Authorization": f"Bearer {token(prod.home)}", **headers}
    connection = http.client.HTTPConnection("127.0.0.1", prod.api, timeout=20)
    try:
        connection.request(method, path, body=body.encode(), headers=sent)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else {}
    finally:
        connection.close()


@pytest.mark.parametrize("shown", ["", "Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer"])
def test_without_the_token_nothing_is_told(prod: Production, shown: str) -> None:
    status, said = ask(prod, "GET", "/api/status", Authorization=shown)

    assert (status, said["error"]) == (401, "the token is missing or wrong")


ROWS = [
    ("GET", "/api/releases/999999", "", 404, "no release 999999"),
    ("GET", "/api/releases/999999/events", "", 404, "no release 999999"),
    ("GET", "/api/releases?limit=many", "", 400, "'many' is not a whole number"),
    ("POST", "/api/releases", "{", 400, "the request's body"),
    ("POST", "/api/releases", '{"app": "kinds"}', 400, "missing required field `commit`"),
    ("POST", "/api/releases", '{"app": "kinds", "commit": "x", "force": 1}', 400, "force"),
    ("POST", "/api/releases", '{"app": "nobody", "commit": "main"}', 400, "nobody"),
    ("POST", "/api/releases", '{"app": "kinds", "commit": "no-such-branch"}', 400, "no-such-br"),
    ("POST", "/api/releases", '{"app": "kinds", "commit": "--upload-pack=x"}', 400, "--upload"),
    ("POST", "/api/releases", '{"app": "../../etc", "commit": "main"}', 400, "../../etc"),
    ("POST", "/api/releases/999999/stop", "{}", 404, "no release 999999"),
    ("POST", "/api/apps/nobody/rollback", "{}", 404, "no application nobody"),
    ("GET", "/api/releases?app=nobody", "", 404, "no application nobody"),
    ("POST", "/api/apps/kinds/rollback", '{"to": 999999}', 409, "never served"),
    ("GET", "/api/apps/nobody/jobs", "", 404, "no release of nobody serves"),
    ("POST", "/api/apps/kinds/jobs/nobody", "", 409, "no job 'nobody'"),
    ("POST", "/api/apps/nobody/run", '{"command": "true"}', 404, "no release of nobody"),
    ("PUT", "/api/apps/kinds/secrets/lower-case", "x", 400, "lower-case"),
    ("PUT", "/api/apps/kinds/secrets/BINARY", "a\0b", 400, "BINARY"),
    ("DELETE", "/api/apps/kinds/secrets/UNKNOWN", "", 400, "UNKNOWN"),
    ("POST", "/api/sources/kinds", "this is no bundle", 400, "bundle"),
    ("GET", "/api/nothing", "", 404, ""),
    ("PUT", "/api/status", "", 405, ""),
]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]} {row[2]}" for row in ROWS])
def test_bad_requests_are_answered_with_what_is_wrong(
    prod: Production, kinds: Project, row: tuple[str, str, str, int, str]
) -> None:
    method, path, body, status, says = row

    found, said = ask(prod, method, path, body)

    assert found == status, said
    assert says in said.get("error", "")


def test_what_was_refused_changed_nothing(prod: Production, kinds: Project) -> None:
    before = prod.client.get("/api/releases")

    ask(prod, "POST", "/api/releases", '{"app": "kinds", "commit": "no-such-branch"}')

    assert before == prod.client.get("/api/releases")


def test_machines_are_what_was_built_until_somebody_changes_one(
    prod: Production, kinds: Project
) -> None:
    found = prod.client.get("/api/apps/kinds/machines/differences")
    assert found["identical"]
    prints = {(m["machine"].rpartition("-")[0], m["fingerprint"]) for m in found["machines"]}
    assert len(prints) == len({process for process, _ in prints})

    (image,) = [each for each in prod.client.get("/api/images") if each["image"] == found["image"]]
    assert found["release"] in image["releases"]
    assert image["ready_seconds"] > 0
    shown = prod.client.get(f"/api/releases/{found['release']}/image")
    assert shown["files"] > 0
    same = {"one": found["release"], "other": found["release"]}
    assert prod.client.get("/api/images/differences", **same)["differences"] == []

    victim = found["machines"][1]["machine"]
    (prod.home.path / "machines" / victim / "app").chmod(0o755)
    (prod.home.path / "machines" / victim / "app/planted.py").write_text("print('planted')\n")
    found = prod.client.get("/api/apps/kinds/machines/differences")
    (prod.home.path / "machines" / victim / "app/planted.py").unlink()
    assert not found["identical"]
    assert {m["machine"]: [d["name"] for d in m["differences"]] for m in found["machines"]} == {
        m["machine"]: ["/app/planted.py"] if m["machine"] == victim else []
        for m in found["machines"]
    }


def _web(value: dict[str, Any]) -> dict[str, Any]:
    return next(row for row in value["processes"] if row["process"] == "web")


def _busy(prod: Production) -> bool:
    with urllib.request.urlopen(f"{prod.url}/version", timeout=10):
        pass
    return bool(_web(prod.client.get("/api/capacity"))["measured"]["rate"] > 0)


def test_what_serves_is_measured_by_whoever_asks(prod: Production, kinds: Project) -> None:
    assert all(row["measured"] for row in prod.client.get("/api/capacity")["processes"])
    wait_until(lambda: _busy(prod), seconds=60, what="a look that sees requests")

    value = json.loads(prod.typed("capacity", "--host", "8cpu,32GB=41", "--json"))
    web = _web(value)
    assert web["app"] == "kinds"
    serving = [m for m in prod.machines("kinds") if m["role"] == "serving"]
    assert web["machines"] == len([m for m in serving if m["process"] == "web"])
    assert 1 << 20 < web["measured"]["memory"] <= web["measured"]["memory_most"] < 1 << 30
    assert web["measured"]["rate"] > 0
    assert web["measured"]["cpu_of_request"] is not None
    assert value["sizes"][0]["count"] == 1
    assert "Fleets that fit at their busiest: " in prod.typed("capacity")
