"""All kinds of traffic at once through a real HAProxy, TLS and HTTP/2 included."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import traffic
from apps.running import App, kinds
from dayfly.clock import wait_until
from dayfly.command import which
from planted import Certificate
from ports import free_port
from traffic import Plan

pytestmark = pytest.mark.haproxy

CONFIGURATION = """
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1h
frontend all
  bind 127.0.0.1:{plain}
  bind 127.0.0.1:{secure} ssl crt {certificate} alpn h2,http/1.1
  default_backend app
backend app
  server one 127.0.0.1:{app}
"""


@pytest.fixture
def app() -> Iterator[App]:
    with kinds(release="1") as app:
        yield app


@pytest.fixture
def proxy(app: App, certificate: Certificate, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The plain and the secure address."""
    program = which("haproxy")
    if not program:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("haproxy is missing")
    plain, secure = free_port(), free_port()
    file = tmp_path / "haproxy.cfg"
    file.write_text(
        CONFIGURATION.format(plain=plain, secure=secure, certificate=certificate.pem, app=app.port)
    )
    process = subprocess.Popen([str(program), "-f", file, "-db"], stderr=subprocess.DEVNULL)
    through = App(process, plain)
    try:
        wait_until(through.answers, seconds=10, what="HAProxy")
        yield f"http://localhost:{plain}", f"https://localhost:{secure}"
    finally:
        process.kill()
        process.wait()


def test_all_kinds_at_once_and_nothing_fails(
    proxy: tuple[str, str], certificate: Certificate
) -> None:
    plain, secure = proxy
    plan = Plan(
        target=plain,
        secure=secure,
        ca=certificate.ca,
        seconds=4,
        slow=1,
        upload=0.5,
        idle=(0.1, 1),
        hold=(0.5, 1),
    )

    tally = traffic.run(plan)

    assert tally.failed == 0, tally.told()
    assert all(kind.ok == kind.sent > 0 for kind in tally.kinds), tally.told()


def test_every_kind_works_over_tls(proxy: tuple[str, str], certificate: Certificate) -> None:
    _, secure = proxy
    plan = Plan(target=secure, ca=certificate.ca, seconds=2, slow=0.5, upload=0.5, hold=(0.5, 1))

    tally = traffic.run(plan)

    assert tally.failed == 0, tally.told()


def test_a_machine_that_is_killed_is_noticed(proxy: tuple[str, str], app: App) -> None:
    """The failures through HAProxy are those of the requests that met no server."""
    with traffic.steady(Plan(target=proxy[0], kinds=traffic.kinds("get", "post"))) as load:
        wait_until(lambda: load.so_far().ok > 20, seconds=10, what="20 answers")
        app.process.kill()
        wait_until(lambda: load.so_far().failed > 3, seconds=10, what="failures")
        tally = load.stop()

    assert "status 503" in {failure.what for failure in tally.failures}
    assert {failure.kind for failure in tally.failures} <= {"get", "post"}
