"""Docker's own drivers, by which a container's output is sent without a forwarder."""

import subprocess
import time
from pathlib import Path

import pytest

from asked import TOKEN, Server, serving
from asked.documented import told
from dayfly.logs.intake.listening import Syslog
from ports import free_port
from small_image import python_image
from workshop import need_docker

pytestmark = pytest.mark.docker
SAYS = """
import sys
for n in range(50): print(f"line {n}")
print('{"msg": "it failed", "level": "error"}', file=sys.stderr)
"""


def run(command: str) -> None:
    """As documented, without a network of its own and without staying."""
    need_docker()
    words = command.replace("run ", "run --rm --network=none ").replace("IMAGE", python_image())
    argv = [*words.split(), "python3", "-c", SAYS]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr


def assert_found(server: Server, query: str) -> None:
    until = time.monotonic() + 15
    while len(server.messages(query)) < 51:
        assert time.monotonic() < until, server.messages()
        time.sleep(0.1)
    lines = [one for one in server.messages(query, order="oldest") if one.startswith("line")]
    assert lines == [f"line {n}" for n in range(50)]
    assert server.messages(f"{query} level:error it") == ["it failed"]


def test_the_syslog_driver(tmp_path: Path) -> None:
    syslog = Syslog(plain=f"127.0.0.1:{free_port()}")
    with serving(tmp_path, token=TOKEN, syslog=syslog, now=time.time) as server:
        port = syslog.plain.rpartition(":")[2]
        run(told(server, "--log-driver syslog", SYSLOG_PORT=port))

        assert_found(server, "process:orders stream:syslog")


def test_the_splunk_driver(live: Server) -> None:
    run(told(live, "--log-driver splunk"))

    assert_found(live, "tag:orders")
    assert live.messages("stream:stderr") == ["it failed"]
