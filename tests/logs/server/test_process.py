"""The log server as a process of its own, killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.logs.__main__ import main
from ports import free_port

ROOT = Path(__file__).parents[3]


@contextmanager
def serving(folder: Path, port: int, *more: str) -> Iterator["subprocess.Popen[bytes]"]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    argv = [sys.executable, "-m", "dayfly.logs", str(folder), f"127.0.0.1:{port}", *more]
    with subprocess.Popen(argv, env=env) as process:
        try:
            wait_until(lambda: reached(port), seconds=30, what="the log server")
            yield process
        finally:
            process.kill()


def reached(port: int) -> bool:
    try:
        asked(port, "/usage")
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def asked(port: int, path: str, body: bytes | None = None, *, token: str = "secret") -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=body, headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def test_what_was_acknowledged_is_found_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    port = free_port()
    with serving(tmp_path, port) as server:
        asked(port, "/ingest", b'{"time": 1, "message": "refund of order 7"}\n')
        server.send_signal(signal.SIGKILL)
        server.wait()

    with serving(tmp_path, port) as server:
        found = asked(port, "/search?query=refund")
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0

    assert [json.loads(line)["message"] for line in found.splitlines()] == ["refund of order 7"]


def test_it_listens_to_syslog_until_it_is_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    port, syslog = free_port(), free_port()
    more = ["--syslog", f"127.0.0.1:{syslog}", "--time-zone", "Europe/Berlin"]
    said = b"<11>Nov  1 12:00:00 web-1 orders: refund of order 7"
    with (
        serving(tmp_path, port, *more) as server,
        socket.create_connection(("127.0.0.1", syslog)) as sender,
    ):
        sender.sendall(said)
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0

    with serving(tmp_path, port):
        (found,) = asked(port, "/search?query=process:orders").splitlines()
    assert json.loads(found)["message"] == "refund of order 7"
    assert json.loads(found)["time"].endswith("-11-01T11:00:00Z")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--syslog", "here"], "here is no address to listen on"),
        (["--syslog-tls", "127.0.0.1:6514"], "syslog over TLS needs a certificate"),
    ],
)
def test_it_says_which_option_of_syslog_is_wrong(
    tmp_path: Path, more: list[str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "token").write_text("secret\n")

    assert main([str(tmp_path), "127.0.0.1:1", *more]) == 1
    assert says in caplog.text


def test_it_knows_time_zones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), "127.0.0.1:1", "--time-zone", "Middle-earth"])
    assert "found 'Middle-earth', allowed is one such as Europe/Berlin" in capsys.readouterr().err


def test_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "dayfly.logs", str(tmp_path), "127.0.0.1:1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)

    assert ran.returncode == 1
    assert "token is missing or empty" in ran.stderr
