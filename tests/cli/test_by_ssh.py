"""An environment whose server only its own host reaches: by the person's ssh, to a real sshd."""

import http.server
import os
import shlex
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from dayfly.clock import wait_until
from fake_server import FakeEnvironment, make_home
from fake_server.terminal import DAYFLY, SOURCE, Terminal
from ports import free_port
from sshd import Sshd, sshd

TOLD = {"app": "orders", "commit": "3f2a1bc9d0", "subject": "Add a column", "who": "ada"}
# Only what the system itself has is found, so no dayfly.
NOTHING = 'command="env -u BASH_ENV PATH=/usr/bin:/bin sh -c \\"$SSH_ORIGINAL_COMMAND\\""'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """It has a dayfly for everybody who logs in."""
    folder = tmp_path_factory.mktemp("host")
    typed = shlex.join(["env", "-u", "DAYFLY_CONTEXT", f"PYTHONPATH={SOURCE}", *DAYFLY])
    programs = folder / "bin"
    programs.mkdir()
    (programs / "dayfly").write_text(f'#!/bin/sh\nexec {typed} "$@"\n')
    (programs / "dayfly").chmod(0o755)
    with sshd(folder, f"{programs}:{os.environ['PATH']}") as made:
        yield made


@pytest.fixture
def laptop(terminal: Terminal, tmp_path: Path) -> Terminal:
    """Whoever types there has no environment."""
    return Terminal(terminal.folder, {**terminal.env, "DAYFLY_HOME": str(tmp_path / "none")})


def log_in(
    laptop: Terminal, host: Sshd, config: Path, *words: str
) -> "subprocess.CompletedProcess[str]":
    typed = ["login", f"ssh://{host.address}", "--ssh-config", str(config)]
    return laptop.type(*typed, *words)


def test_an_environment_is_used_by_ssh_as_one_on_this_machine(
    host: Sshd, laptop: Terminal, terminal: Terminal, address: str, environment: FakeEnvironment,
    git: Callable[..., str],
) -> None:  # fmt: skip
    there = terminal.env["DAYFLY_HOME"]
    config = host.person("ada")
    host.known_hosts.unlink(missing_ok=True)
    unknown = log_in(laptop, host, config, "--home", there)
    assert unknown.returncode == 1
    again = f"dayfly login ssh://{host.address} --fingerprint {host.fingerprint}"
    assert again in unknown.stderr

    known = log_in(laptop, host, config, "--home", there, "--fingerprint", host.fingerprint)
    assert known.returncode == 0, known.stderr
    assert "production is known: `dayfly -e production status`." in known.stdout

    status = laptop.type("-e", "production", "status")
    assert "release 12" in status.stdout, status.stderr
    environment.happen("release.started", 2, **TOLD)
    environment.happen("release.finished", 2, outcome="serving")
    environment.receipts[2] = {**environment.receipts[12], "release": 2}
    released = laptop.type("-e", "production", "release")
    assert released.returncode == 0, released.stderr
    assert "lost 0 of 48,213 requests" in released.stdout
    assert environment.uploads[-1].startswith(b"# v2 git bundle")
    assert laptop.type("-e", "production", "run", "--app", "orders", "--", "x").returncode == 3

    port = address.rpartition(":")[2]
    told = laptop.type("-e", "production", "console")
    assert told.stdout == "http://127.0.0.1:8081/enter?code=once\n"
    assert f"-p {host.port} -N -L {port}:127.0.0.1:{port}" in told.stderr


@pytest.fixture
def known(host: Sshd) -> None:
    """The key of the host."""
    host.known_hosts.write_text(f"[127.0.0.1]:{host.port} {host.key}\n")


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("person", "rules", "says"),
    [
        ("stranger", None, ("does not let", "ssh-copy-id")),
        ("bare", NOTHING, ("there is no dayfly on", "dayfly host add")),
        ("closed", "no-port-forwarding", ("forwards no connection", "AllowTcpForwarding")),
        ("other", 'command="echo welcome"', ("does not tell where its server is", "host add")),
    ],
)
def test_what_is_in_the_way_is_told_and_nothing_is_kept(
    host: Sshd, laptop: Terminal, terminal: Terminal,
    person: str, rules: str | None, says: tuple[str, str],
) -> None:  # fmt: skip
    there = terminal.env["DAYFLY_HOME"]
    refused = log_in(laptop, host, host.person(person, rules), "--home", there)
    assert refused.returncode == 1
    assert all(each in refused.stderr for each in says), refused.stderr
    assert laptop.type("-e", "production", "status").returncode == 1


def test_a_server_that_is_down_and_a_host_that_is_off_are_told_apart(
    host: Sshd, known: None, laptop: Terminal, tmp_path: Path
) -> None:
    config = host.person("ada")
    empty = log_in(laptop, host, config, "--home", str(tmp_path / "nothing"))
    assert "tells of no environment" in empty.stderr
    assert "No such file" in empty.stderr

    port = free_port()
    there = make_home(tmp_path / "down", f"http://127.0.0.1:{port}")["DAYFLY_HOME"]
    down = log_in(laptop, host, config, "--home", there)
    where = f"does not answer at http://127.0.0.1:{port} on {host.address}"
    assert where in down.stderr
    assert "`dayfly up` there starts it." in down.stderr

    typed = ["login", f"ssh://127.0.0.1:{port}", "--ssh-config", str(config)]
    off = laptop.type(*typed, "--home", there)
    assert f"127.0.0.1:{port} can't be reached: " in off.stderr
    assert "Connection refused" in off.stderr
    wrong = laptop.type("login", "https://far", "--home", there)
    assert (wrong.returncode, "ssh://" in wrong.stderr) == (2, True)


class Answers(http.server.BaseHTTPRequestHandler):
    """Its environment's name, whatever is asked."""

    def do_GET(self) -> None:
        told = b'{"environment": "production"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)


@contextmanager
def with_certificate(authority: trustme.CA) -> Iterator[int]:
    """A server with TLS, on this port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_a_certificate_is_asked_for_through_ssh_too(
    host: Sshd, known: None, laptop: Terminal, tmp_path: Path
) -> None:
    authority, there = trustme.CA(), tmp_path / "there"
    with with_certificate(authority) as port:
        make_home(there, f"http://127.0.0.1:{port}")
        with (there / "environment.toml").open("a") as settings:
            settings.write("tls = true\n")
        (there / "ca").mkdir()
        for signed_by, status in [(trustme.CA(), 1), (authority, 0)]:
            signed_by.cert_pem.write_to_path(there / "ca/ca.pem")
            done = log_in(laptop, host, host.person("ada"), "--home", str(there))
            assert done.returncode == status, done.stderr
            assert ("certificate verify failed" in done.stderr) is bool(status)


def test_a_release_is_followed_on_when_its_connection_breaks(
    host: Sshd, known: None, laptop: Terminal, terminal: Terminal, environment: FakeEnvironment
) -> None:
    there = terminal.env["DAYFLY_HOME"]
    assert log_in(laptop, host, host.person("ada"), "--home", there).returncode == 0
    environment.happen("release.started", 2, **TOLD)
    environment.happen("stage.started", 2, stage="build")
    environment.receipts[2] = {**environment.receipts[12], "release": 2}
    with laptop.start("-e", "production", "release", "--follow", "2") as following:
        wait_until(lambda: bool(ssh_of(following)), seconds=20, what="its ssh")
        assert following.stdout
        assert "release 2 of orders" in following.stdout.readline()
        (ssh,) = ssh_of(following)
        os.kill(ssh, signal.SIGKILL)
        environment.happen("stage.finished", 2, stage="build", outcome="done", seconds=1.0)
        environment.happen("release.finished", 2, outcome="serving")
        assert following.wait(20) == 0


def ssh_of(process: "subprocess.Popen[str]") -> list[int]:
    """The programs that it runs."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]
