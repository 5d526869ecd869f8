"""An environment whose machines are containers, and Docker does not answer."""

import os
import subprocess
from pathlib import Path

import pytest

from production.environment import DAYFLY, Production, Ran, running
from workshop import open_folder

SAYS = "Docker can't be reached at /var/run/docker.sock"
HIDING = """\
[ ! -e /var/run/docker.sock ] || mount --bind /dev/null /var/run/docker.sock
exec "$@"
"""


def without_docker(prod: Production, *words: str) -> Ran:
    """A command of `dayfly` that sees no Docker, whether or not there is one."""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", HIDING, "sh", *DAYFLY, *words],
        env=prod.surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout.decode())


def services(prod: Production) -> list[int]:
    return [*prod.supervisors(), *prod.servers(), *prod.log_servers(), *prod.archives()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide Docker")
def test_services_stop_and_none_starts_and_both_say_why() -> None:
    with open_folder() as folder, running(Path(folder)) as prod:
        settings = prod.home.environment_toml
        own = settings.read_text()
        settings.write_text(own.replace('runtime = "process"', 'runtime = "docker"'))
        try:
            down = without_docker(prod, "down")
            assert down.status == 1
            assert f"the services are stopped, but machines may go on: {SAYS}" in down.said
            assert "dayfly down" in down.said
            assert not services(prod)

            up = without_docker(prod, "up")
            assert up.status == 1
            assert SAYS in up.said
            assert "not within" not in up.said
            assert not services(prod)
        finally:
            settings.write_text(own)
