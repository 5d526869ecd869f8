"""The log server as a process of its own, killed and started again."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.running import free_port
from dayfly.clock import wait_until

ROOT = Path(__file__).parents[3]


@contextmanager
def serving(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    argv = [sys.executable, "-m", "dayfly.logs", str(folder), f"127.0.0.1:{port}"]
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


def test_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "dayfly.logs", str(tmp_path), "127.0.0.1:1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)

    assert ran.returncode == 1
    assert "token is missing or empty" in ran.stderr
