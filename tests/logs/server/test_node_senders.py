"""Loggers of Node as people have them send to the log server, over its own port."""

import shutil
import subprocess
import time
from pathlib import Path

from asked import Server, missing
from asked.documented import told

SENDERS = Path(__file__).parents[2] / "senders"
SAID = """
for (let n = 0; n < 20; n++) log.info(`line ${n}`)
log.error("it «failed»")
"""


def run(script: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if not node or not (SENDERS / "node_modules/pino").exists():
        missing("node, or what tests/senders/package.json names")
    (tmp_path / "node_modules").symlink_to(SENDERS / "node_modules")
    file = tmp_path / "send.js"
    file.write_text(script)
    ran = subprocess.run(
        [str(node), str(file)], capture_output=True, text=True, check=False, timeout=30
    )
    assert ran.returncode == 0, ran.stderr


def assert_found(server: Server, query: str) -> None:
    until = time.monotonic() + 10
    wanted = sorted([*(f"line {n}" for n in range(20)), "it «failed»"])
    while (found := sorted(server.messages(query))) != wanted:
        assert time.monotonic() < until, found
        time.sleep(0.1)
    assert server.messages("level:error") == ["it «failed»"]


def test_pino_sends_to_elasticsearch(live: Server, tmp_path: Path) -> None:
    run(told(live, 'require("pino")') + SAID, tmp_path)

    assert_found(live, "pid:*")


def test_winston_sends_to_loki(live: Server, tmp_path: Path) -> None:
    run(told(live, 'require("winston")') + SAID + "log.end()\n", tmp_path)

    assert_found(live, "app:orders")
