"""The services as supervisord and systemd read them, with paths as awkward as they may be."""

import shlex
import subprocess
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from dayfly.command import which
from dayfly.environment.supervised import Service, guard, services, supervisord, systemd_units

PYTHON = ["/opt/py thon", "-X", "faulthandler"]
AWKWARD = '/srv/100% "mine"/day fly'


def read_by_supervisord(text: str, folder: Path) -> dict[str, list[str]]:
    """The words of each program's command, as supervisord itself understands them."""
    file = folder / "supervisord.conf"
    file.write_text(text)
    options = ServerOptions()
    options.realize(["-c", str(file)])
    return {
        config.name: shlex.split(config.command)
        for group in options.process_group_configs
        for config in group.process_configs
    }


def test_supervisord_reads_what_was_meant(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    wanted = services(Path("/opt/py thon"), Path(AWKWARD))

    found = read_by_supervisord(supervisord(wanted, run), tmp_path)

    assert set(found) == {"logs", "forwarder", "files", "balancer", "server"}
    assert found["logs"] == [*PYTHON, "-m", "dayfly.logs", f"{AWKWARD}/logs"]
    assert found["server"] == [*PYTHON, "-m", "dayfly.console", AWKWARD]


def test_machines_outlive_a_unit_that_is_stopped() -> None:
    """Systemd ends only the service's own process, and starts it again when it dies."""
    units = systemd_units(services(Path("/opt/python"), Path("/srv/home")), "production", {})

    names = ("logs", "forwarder", "files", "balancer", "server")
    assert set(units) == {f"dayfly-production-{name}.service" for name in names}
    for text in units.values():
        assert "\nKillMode=process\n" in text
        assert "\nRestart=always\n" in text


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Systemd's own checker finds nothing wrong with them."""
    checker = which("systemd-analyze")
    if checker is None:
        pytest.skip("systemd is not installed, and no test may install it")
    odd = Service(
        name="odd",
        argv=("/bin/true", "a b", "5%", "$HOME"),
        what="odd",
        stop_seconds=5,
        place=1,
    )
    script = tmp_path / "closed.sh"
    script.touch()
    units = {**systemd_units((odd,), "test", {"A": 'b"c'}), **guard(tmp_path, "test", script)}
    for name, text in units.items():
        (tmp_path / name).write_text(text)

    done = subprocess.run(
        [checker, "verify", "--man=no", *map(str, tmp_path.glob("*.service"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_what_keeps_clear_text_in_is_there_before_the_network_and_behind_the_firewall() -> None:
    (text,) = guard(Path("/srv/home"), "test", Path("/srv/home/tunnel/closed.sh")).values()

    assert "\nBefore=network-pre.target " in text
    assert "\nAfter=nftables.service\n" in text
    assert "\nReloadPropagatedFrom=nftables.service\n" in text
    assert '\nExecStart=/bin/sh "/srv/home/tunnel/closed.sh"\n' in text
