"""Programs that send syslog, as people have them, over UDP, TCP and TLS."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from asked import TOKEN, Server, missing, serving
from asked.documented import told
from dayfly.logs.intake.listening import Syslog
from ports import free_port

UNPACKED = Path(__file__).parents[2] / "senders/syslog-ng"
LINES = [f"line {n} of «many»" for n in range(100)]


@pytest.fixture
def syslog(tmp_path: Path) -> Syslog:
    authority, certificate = trustme.CA(), tmp_path / "server.pem"
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(
        certificate
    )
    plain, tls = (f"127.0.0.1:{free_port()}" for _ in range(2))
    return Syslog(plain=plain, tls=tls, certificate=certificate)


@pytest.fixture
def heard(tmp_path: Path, syslog: Syslog) -> Iterator[Server]:
    with serving(tmp_path / "store", token=TOKEN, syslog=syslog, now=time.time) as server:
        yield server


def names(tmp_path: Path, syslog: Syslog) -> dict[str, object]:
    plain, tls = (one.rpartition(":")[2] for one in (syslog.plain, syslog.tls))
    return {"SYSLOG_PORT": plain, "SYSLOG_TLS_PORT": tls, "CA_FILE": tmp_path / "ca.pem"}


@contextmanager
def running(folder: Path, argv: Sequence[object], **env: str) -> Iterator[None]:
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            list(map(str, argv)), stdout=said, stderr=said, env={**os.environ, **env}
        )
        try:
            yield
            process.terminate()
            process.wait(10)
        finally:
            process.kill()
            process.wait()


def assert_found(server: Server, folder: Path) -> None:
    """The lines, in order; where nothing is sent, this sender's own words say why."""
    until = time.monotonic() + 15
    query = "«many» stream:syslog"
    while (found := server.messages(query, order="oldest", limit=200)) != LINES:
        assert time.monotonic() < until, (found[:3], len(found), (folder / "said").read_text())
        time.sleep(0.1)


def write(folder: Path) -> None:
    with (folder / "app.log").open("a") as file:
        file.writelines(f"{line}\n" for line in LINES)


RSYSLOG = """
module(load="imfile")
global(workDirectory="FOLDER")
input(type="imfile" File="FOLDER/app.log" Tag="orders:" Severity="error" freshStartTail="off")
"""


@pytest.mark.parametrize("words", [('"udp"',), ("SYSLOG-PORT", '"tcp"'), ("gtls",)], ids=str)
def test_rsyslog_sends(heard: Server, syslog: Syslog, tmp_path: Path, words: list[str]) -> None:
    program = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    if not Path(program).exists() or not any(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")):
        missing("rsyslog with rsyslog-gnutls")
    # It looks for names in a certificate, and not for addresses.
    action = told(heard, "omfwd", *words, **names(tmp_path, syslog), LOGS_HOST="localhost")
    (tmp_path / "conf").write_text(RSYSLOG.replace("FOLDER", str(tmp_path)) + action)
    write(tmp_path)

    argv = [program, "-n", "-f", tmp_path / "conf", "-i", tmp_path / "pid"]
    with running(tmp_path, argv):
        assert_found(heard, tmp_path)

    (line, *_) = heard.search("«many»").lines
    assert (line["process"], line["level"]) == ("orders", "error")


SYSLOG_NG = """
@version: 3.35
options { keep-hostname(yes); };
source s_app { file("FOLDER/app.log" follow-freq(0.1) flags(no-parse)
  default-priority(err) program-override("orders")); };
log { source(s_app); destination(d_logs); };
"""


@pytest.mark.parametrize("transport", ['transport("tcp")', 'transport("tls")'])
def test_syslog_ng_sends(heard: Server, syslog: Syslog, tmp_path: Path, transport: str) -> None:
    own = next((UNPACKED / "usr/lib/syslog-ng").glob("3.*"), None)
    program = shutil.which("syslog-ng") or str(UNPACKED / "usr/sbin/syslog-ng")
    if not Path(program).exists():
        missing("syslog-ng")
    destination = told(heard, "d_logs", transport, **names(tmp_path, syslog))
    (tmp_path / "conf").write_text(SYSLOG_NG.replace("FOLDER", str(tmp_path)) + destination)
    write(tmp_path)
    files = [f"--{name}={tmp_path / name}" for name in ("persist-file", "pidfile", "control")]
    argv = [program, "-F", "--no-caps", f"--cfgfile={tmp_path / 'conf'}", *files]
    if own:
        argv.append(f"--module-path={own}")

    with running(tmp_path, argv, LD_LIBRARY_PATH=str(own.parent) if own else ""):
        assert_found(heard, tmp_path)

    (line, *_) = heard.search("«many»").lines
    assert (line["process"], line["level"]) == ("orders", "error")


@pytest.mark.parametrize("more", [[], ["--rfc3164"], ["--octet-count"], ["--udp"]], ids="".join)
def test_logger_sends(heard: Server, syslog: Syslog, tmp_path: Path, more: list[str]) -> None:
    if not shutil.which("logger"):
        missing("logger")
    command = told(heard, "logger", **names(tmp_path, syslog)).strip()
    shown = command.replace("--tcp", "") if more == ["--udp"] else command
    subprocess.run([*shown.split('"')[0].split(), *more, "it «failed»"], check=True, timeout=10)

    until = time.monotonic() + 10
    while not (found := heard.search("«failed»").lines):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert (found[0]["message"], found[0]["level"]) == ("it «failed»", "error")
    assert (found[0]["process"], found[0]["host"]) == ("nightly", os.uname().nodename)


JOURNAL = "/lib/systemd/systemd-journal-"


def test_systemd_journal_upload_sends_a_journal_once(heard: Server, tmp_path: Path) -> None:
    if not Path(f"{JOURNAL}upload").exists():
        missing("systemd-journal-remote")
    url = told(heard, "[Upload]").split("URL=")[1].strip()
    entries = "".join(
        f"__REALTIME_TIMESTAMP={time.time_ns() // 1000 + n}\n__MONOTONIC_TIMESTAMP={n + 1}\n"
        f"_BOOT_ID={'1' * 32}\n_HOSTNAME=web-1\nPRIORITY=3\nSYSLOG_IDENTIFIER=orders\n"
        f"MESSAGE=line {n}\n\n"
        for n in range(1200)
    )
    journal, state = tmp_path / "web.journal", tmp_path / "state"
    made = [f"{JOURNAL}remote", f"--output={journal}", "-"]
    subprocess.run(made, input=entries.encode(), check=True, timeout=30)
    upload = [
        f"{JOURNAL}upload",
        f"--url={url}",
        f"--file={journal}",
        "--follow=no",
        f"--save-state={state}",
    ]

    for _ in range(2):
        ran = subprocess.run(upload, capture_output=True, text=True, check=False, timeout=30)
        assert ran.returncode == 0, ran.stderr
        state.unlink()  # so the second time it begins again

    found = heard.search("host:web-1 process:orders level:error | count()").lines
    assert found == [{"count": 1200}]
    assert heard.messages("stream:journal", order="oldest", limit=2) == ["line 0", "line 1"]
