"""What the settings of an environment make the log store and the forwarder do."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.config.home import Home, create
from dayfly.config.load import load_environment
from dayfly.config.secrets import Secrets
from dayfly.environment import logstore
from dayfly.errors import DayflyError
from dayfly.logs import starting
from dayfly.logs.feeding import settings as feeding
from dayfly.logs.forwarder import starting as forwarding
from ports import free_port

DAY = 86400.0
SETTINGS = """\
runtime = "docker"
time_zone = "Europe/Vienna"
[logs]
retention = { age = "7d", size = "2GB" }
spool = { limit = "64MB", full = "drop oldest" }
app.orders.age = "90d"
[logs.host]
journal = false
syslog = ["/var/log/messages"]
postgresql = ["/srv/pg/*.log"]
[tunnel]
here = "dev"
[tunnel.site.dev]
networks = ["10.1.0.0/16"]
[tunnel.site.production]
networks = ["10.2.0.0/16"]
gateway = "192.0.2.1"
[logs.syslog]
listen = "127.0.0.1:5514"
tls = "127.0.0.1:6514"
certificate = "tls/logs.pem"
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    create(made)
    yield made
    logstore.let_go(made)


def test_both_read_what_the_settings_say(home: Home) -> None:
    logstore.prepare(home, load_environment(SETTINGS))

    told = starting.load(home.logs)
    assert (told.store.keep_seconds, told.store.keep_bytes) == (7 * DAY, 2 * 1024**3)
    assert told.store.keep_apps == {"orders": 90 * DAY}
    assert (told.syslog.plain, told.syslog.tls) == ("127.0.0.1:5514", "127.0.0.1:6514")
    assert told.syslog.certificate == home.path / "tls/logs.pem"
    forwarded = forwarding.load(home.forwarder)
    assert (forwarded.zone, str(told.syslog.zone)) == ("UTC", "UTC"), "not that of schedules"
    assert forwarded.url == logstore.url(home)
    assert (forwarded.limit, forwarded.full) == (64 * 1024**2, "drop oldest")
    streams = {each.path: each.stamps.stream for each in forwarded.files}
    assert streams[str(home.balancer / "access.log")] == "access"
    processes = {each.path: each.stamps.process for each in forwarded.files}
    assert processes[str(home.tunnel / "charon.log")] == "tunnel"
    assert (streams["/var/log/messages"], streams["/srv/pg/*.log"]) == ("syslog", "postgresql")
    assert not forwarded.journal


def test_a_port_that_is_told_is_taken(home: Home) -> None:
    port = free_port()

    logstore.prepare(home, load_environment(f'logs.listen = "0.0.0.0:{port}"'))

    assert logstore.url(home) == f"http://127.0.0.1:{port}"
    assert starting.load(home.logs).listen == f"0.0.0.0:{port}"


def test_a_port_that_is_not_told_is_chosen_once(home: Home) -> None:
    settings = load_environment("")
    logstore.prepare(home, settings)
    first = logstore.url(home)

    logstore.prepare(home, settings)
    assert logstore.url(home) == first

    with socket.create_server(("127.0.0.1", int(first.rpartition(":")[2]))):
        logstore.prepare(home, settings)
        assert logstore.url(home) != first


FED = """\
[logs.feed.elk]
url = "https://elk:9200"
query = "level:>=warning"
secret = "ELK_KEY"
ca = "tls/elk.pem"
[logs.feed.siem]
kind = "splunk"
url = "https://splunk:8088"
index = ""
acknowledged = true
"""


def test_feeds_are_handed_over(home: Home) -> None:
    logstore.prepare(home, load_environment(FED))

    elk, siem = feeding.load(home.logs)
    assert (elk.name, elk.kind, elk.query, elk.index) == (
        "elk",
        "elasticsearch",
        "level:>=warning",
        "dayfly",
    )
    assert elk.ca_file == str(home.tls / "elk.pem")
    with pytest.raises(DayflyError, match="there is no secret ELK_KEY"):
        elk.secret()
    Secrets(home.secrets).set("dayfly", "ELK_KEY", "a-key")
    assert elk.secret() == "a-key", "where it lies, so that a later one is taken"
    assert "a-key" not in (home.logs / feeding.SETTINGS).read_text()
    assert (siem.name, siem.kind, siem.index, siem.acknowledged) == ("siem", "splunk", "", True)
    assert siem.secret() == ""

    logstore.prepare(home, load_environment(""))
    assert feeding.load(home.logs) == ()


def test_what_does_not_run_is_down(home: Home) -> None:
    logstore.prepare(home, load_environment(f'logs.listen = "127.0.0.1:{free_port()}"'))

    assert logstore.store_state(home)["state"] == "down"
    assert not logstore.forwarder_runs(home)
