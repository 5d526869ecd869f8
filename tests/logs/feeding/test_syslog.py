"""On to a real rsyslog over TCP and TLS."""

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from asked import missing
from dayfly.clock import wait_until
from dayfly.logs.feeding.syslog import message
from dayfly.logs.record import Record
from fed import describe, feeding, wait_fed, wait_for
from kept import body_of, numbered
from ports import free_port

TIME = 1_793_577_600_123_456_789
CONFIGURATION = """
global(workDirectory="{folder}" parser.escapeControlCharactersOnReceive="off"{tls})
module(load="imtcp" {driver})
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="json" type="list" option.jsonf="on") {{
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="process" name="procid" format="jsonf")
  property(outname="level" name="syslogseverity-text" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
action(type="omfile" file="{folder}/received" template="json")
"""


@contextmanager
def rsyslog(folder: Path, port: int, **more: str) -> Iterator[None]:
    program = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        missing("rsyslogd")
    assert program
    folder.mkdir(exist_ok=True)
    told = {"folder": folder, "port": port, "tls": "", "driver": "", **more}
    (folder / "rsyslog.conf").write_text(CONFIGURATION.format(**told))
    argv = [program, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid"), "-C"]
    with subprocess.Popen(argv) as process:
        try:
            yield
        finally:
            process.terminate()


def received(folder: Path) -> list[dict[str, Any]]:
    file = folder / "received"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def messages(folder: Path) -> Counter[str]:
    return Counter(each["message"] for each in received(folder))


def syslog(url: str, **more: object) -> dict[str, object]:
    return {"name": "old", "kind": "syslog", "url": url, **more}


def test_a_message_is_rfc_5424() -> None:
    record = Record(
        time=TIME,
        message="two\nlines",
        app="web shop",
        release=41,
        level="error",
        fields={'a "b"': 'say "]"', "ok": True},
    )

    assert message(record).decode() == (
        "<11>1 2026-11-02T00:00:00.123456Z - web_shop - - "
        '[dayfly@32473 app="web shop" release="41" level="error" ab="say \\"\\]\\"" ok="true"]'
        " two\nlines"
    )


def test_rsyslog_gets_every_message(tmp_path: Path) -> None:
    port = free_port()
    describe(tmp_path, syslog(f"tcp://127.0.0.1:{port}"))
    told = {"app": "web", "host": "h1", "process": "worker", "level": "warning"}
    with rsyslog(tmp_path / "rsyslog", port), feeding(tmp_path) as (store, feeds):
        store.append(body_of([Record(time=TIME, message="two\nlines", **told)]))
        store.append(numbered(range(2000), begin=TIME))
        wait_fed(store, feeds)
        wait_for(lambda: len(received(tmp_path / "rsyslog")) >= 2001, "rsyslog has all")

        first = received(tmp_path / "rsyslog")[0]
    assert first == {
        **told,
        "time": "2026-11-02T00:00:00.123456Z",
        "data": '[dayfly@32473 app="web" level="warning"]',
        "message": "two\nlines",
    }
    assert messages(tmp_path / "rsyslog") == Counter(
        {"two\nlines": 1} | {f"line {n} of many": 1 for n in range(2000)}
    )


def test_what_comes_while_it_is_down_is_sent_when_it_is_back(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "rsyslog"
    describe(tmp_path, syslog(f"tcp://127.0.0.1:{port}"))
    with feeding(tmp_path) as (store, feeds):
        with rsyslog(folder, port):
            store.append(numbered(range(100), begin=TIME))
            wait_fed(store, feeds)
            wait_for(lambda: len(received(folder)) >= 100, "rsyslog has the first")
        store.append(numbered(range(100, 200), begin=TIME))
        wait_for(lambda: bool(feeds.feeds[0].problem), "the feed has noticed")
        time.sleep(0.2)
        with rsyslog(folder, port):
            wait_fed(store, feeds)
            wait_for(lambda: len(messages(folder)) >= 200, "rsyslog has the rest")

    assert messages(folder).keys() == {f"line {n} of many" for n in range(200)}


def test_over_tls_only_a_trusted_receiver_gets_anything(tmp_path: Path) -> None:
    if not Path("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so").exists():
        missing("rsyslog-gnutls")
    authority, port, folder = trustme.CA(), free_port(), tmp_path / "rsyslog"
    folder.mkdir()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca"))
    certificate.private_key_pem.write_to_path(str(folder / "key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert"))
    tls = f' defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{folder}/ca"'
    tls += f' defaultNetstreamDriverCertFile="{folder}/cert"'
    tls += f' defaultNetstreamDriverKeyFile="{folder}/key"'
    driver = 'streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"'
    url = f"tls://127.0.0.1:{port}"
    describe(tmp_path, syslog(url, ca_file=str(folder / "ca")), syslog(url, name="untrusting"))

    with rsyslog(folder, port, tls=tls, driver=driver), feeding(tmp_path) as (store, feeds):
        store.append(numbered(range(50), begin=TIME))
        trusting, untrusting = feeds.feeds
        wait_until(
            lambda: trusting.position.after >= store.durable, seconds=30, what="all is fed on"
        )
        wait_for(lambda: len(messages(folder)) >= 50, "rsyslog has all")
        wait_for(lambda: "certificate" in untrusting.problem, "the other has refused")
        assert untrusting.position.sent == 0
