"""The configuration as text, and what HAProxy says to it."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from balancing import Server
from dayfly.balancer.render import SERVER, files
from dayfly.balancer.routing import Routing, Slot
from dayfly.balancer.state import Listen, read_routing, write_rendered, write_routing

LISTEN = Listen(environment="0badcafe", http="127.0.0.1:8080", https="127.0.0.1:8443")
ROUTING = Routing(
    slots={
        "slot-007": Slot(
            app="orders",
            release=2,
            servers=(
                Server(name="orders-2-web-1", address="127.0.0.1:20001"),
                Server(name="orders-2-web-2", address="[::1]:20002"),
            ),
            path="/healthz?deep=1",
        )
    },
    serving={"orders": "slot-007"},
    routes={"shop.example/": "orders", "*/orders/": "orders"},
    assets={"orders:/static/": "slot-006"},
    holds={"orders": 1_700_000_000_000},
    closed={"shop": "", "desk": "<h1>Grüße</h1>\n"},
    last=7,
)


def test_the_files_hold_the_routing_of_this_moment() -> None:
    found = files(LISTEN, ROUTING, ["../tls/a.pem"])

    assert found["maps/serving.map"] == "orders slot-007\n"
    assert found["maps/routes.map"] == "*/orders/ orders\nshop.example/ orders\n"
    assert found["maps/assets.map"] == "orders:/static/ slot-006\n"
    assert found["maps/checks.map"] == "slot-007 /healthz?deep=1\n"
    assert found["maps/holds.map"] == "orders 1700000000000\n"
    assert found["maps/closed.map"] == "desk pages/desk.html\nshop closed.html\n"
    assert found["pages/desk.html"] == "<h1>Grüße</h1>\n"
    assert found["crt-list"] == "../tls/a.pem\n"
    assert (
        "backend slot-007\n  balance leastconn\n"
        "  http-request set-timeout server 1h if { req.hdr(accept) -m sub text/event-stream }\n"
        f"  server orders-2-web-1 127.0.0.1:20001 {SERVER}\n"
        f"  server orders-2-web-2 [::1]:20002 {SERVER}\n"
        "backend slot-008\n"
    ) in found["haproxy.cfg"]
    assert (
        "frontend web from clients\n"
        "  bind 127.0.0.1:8080 name http\n"
        "  bind 127.0.0.1:8443 name https ssl crt-list crt-list alpn h2,http/1.1\n"
    ) in found["haproxy.cfg"]


@pytest.mark.parametrize("archive", [False, True])
def test_haproxy_takes_the_configuration_without_a_warning(
    tmp_path: Path, program: str, archive: bool
) -> None:
    listen = Listen(
        environment="x",
        http="127.0.0.1:1",
        files="files.example",
        files_socket="../files/balancer.sock",
    )
    write_rendered(tmp_path, files(listen if archive else replace(listen, files=""), ROUTING, []))

    checked = subprocess.run(
        [program, "-c", "-f", "haproxy.cfg"],
        cwd=tmp_path,
        env={**os.environ, "DAYFLY_ACCESS_LOG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, "WARNING" in checked.stderr + checked.stdout) == (0, False)


def test_the_page_of_an_app_that_is_open_again_is_gone(tmp_path: Path) -> None:
    write_rendered(tmp_path, files(LISTEN, ROUTING, []))
    assert (tmp_path / "pages" / "desk.html").read_bytes() == "<h1>Grüße</h1>\n".encode()

    write_rendered(tmp_path, files(LISTEN, replace(ROUTING, closed={}), []))

    assert list((tmp_path / "pages").iterdir()) == []


def test_the_intention_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    write_routing(tmp_path, ROUTING)

    assert read_routing(tmp_path) == ROUTING
