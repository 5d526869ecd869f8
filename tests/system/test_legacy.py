"""A real application that only knows paths, as it comes from PyPI: WsgiDAV, a WebDAV server.

What its users upload stays across releases and a rollback, and is in the archive with versions.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from dayfly.clock import wait_until
from production import Production, Project, project, running
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

SETTINGS = """\
app = "davbox"
[build]
steps = ["pip install wsgidav=={version} cheroot==11.1.2"]
[process.web]
run    = "exec wsgidav --root media --port $PORT --auth anonymous --config dav.yaml"
health = {{ path = "/", passes = 1, interval = "100ms", deadline = "30s" }}
[files]
mount = {{ "/app/media" = "media/" }}
[release]
watch = "0s"
warm  = "5m"
"""


LINKS = "host: 127.0.0.1\nfs_dav_provider: {follow_symlinks: true}\n"  # a kept directory is one


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


def commit(app: Project, version: str) -> str:
    (app.folder / "dayfly.toml").write_text(SETTINGS.format(version=version))
    (app.folder / "dav.yaml").write_text(LINKS)
    return app.save(f"WsgiDAV {version}")


def ask(prod: Production, method: str, path: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(f"{prod.url}{path}", body, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def software(prod: Production) -> str:
    page = ask(prod, "GET", "/").decode()
    return page.partition("WsgiDAV/")[2].partition('"')[0]


def versions(prod: Production, key: str) -> list[dict[str, object]]:
    ran = prod.type("files", "versions", f"davbox/media/{key}", "--json")
    return list(json.loads(ran.said)) if ran.status == 0 else []


def test_uploads_of_an_unedited_application_stay(prod: Production) -> None:
    app = project(prod.folder / "davbox")
    first = prod.released(app, commit(app, "4.3.3"))
    assert software(prod) == "4.3.3"
    ask(prod, "MKCOL", "/bills")
    ask(prod, "PUT", "/bills/7.pdf", b"as it was")
    ask(prod, "PUT", "/gone.txt", b"not for long")

    second = prod.released(app, commit(app, "4.4.0"))
    assert software(prod) == "4.4.0"
    assert ask(prod, "GET", "/bills/7.pdf") == b"as it was"
    wait_until(lambda: bool(versions(prod, "bills/7.pdf")), seconds=60, what="it is in the archive")
    ask(prod, "PUT", "/bills/7.pdf", b"as it is now")
    ask(prod, "PUT", "/bills/8.pdf", b"new")
    ask(prod, "DELETE", "/gone.txt")
    prod.typed("rollback", "--app", "davbox")
    assert (software(prod), prod.serving("davbox")) == ("4.3.3", first)
    assert ask(prod, "GET", "/bills/7.pdf") == b"as it is now"
    assert ask(prod, "GET", "/bills/8.pdf") == b"new"
    with pytest.raises(urllib.error.HTTPError, match="404") as told:
        ask(prod, "GET", "/gone.txt")
    told.value.close()

    wait_until(lambda: len(versions(prod, "bills/7.pdf")) == 2, seconds=60, what="both versions")
    new, old = versions(prod, "bills/7.pdf")
    assert (old["size"], new["size"]) == (len("as it was"), len("as it is now"))
    assert old["provenance"] == {"who": "davbox", "release": str(first), "source": "media"}
    wait_until(lambda: len(versions(prod, "gone.txt")) == 2, seconds=60, what="the deletion")
    deleted, kept = versions(prod, "gone.txt")
    assert (deleted["deleted"], kept["size"]) == (True, len("not for long"))
    prod.typed("files", "get", "davbox/media/gone.txt", "back", "--version", str(kept["version"]))
    assert (prod.folder / "back").read_bytes() == b"not for long"
    data = prod.home.path / "archive/data/davbox/media/bills"
    assert sorted(each.name for each in data.iterdir()) == ["7.pdf", "8.pdf"]
    assert second == first + 1
