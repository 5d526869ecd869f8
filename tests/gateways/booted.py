"""A gateway that systemd seems to run: of systemd there is what a keeper meets of it."""

import time
from pathlib import Path

from gateways.mounted import Mounted
from gateways.wired import Gateway, World

# A unit's process is started, started again whenever it ends, and told to end.
SYSTEMCTL = """#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >> calls
case "$1 $2" in
"enable --now")
    [ -e on ] && exit
    touch on
    start=$(sed -n 's/^ExecStart=//p' units/*-tunnel.service)
    while [ -e on ]; do
        sh -c "echo \\$\\$ > main; exec $start"
        sleep 0.1
    done < /dev/null > unit.log 2>&1 &;;
"disable --now")
    rm on
    kill "$(cat main)"
    while kill -0 "$(cat main)" 2> /dev/null; do sleep 0.02; done;;
"show -p")
    cat main;;
esac
"""
MOUNTS = """mkdir -p /run/systemd
mount --bind {0}/run /run/systemd
mount --bind {0}/units /etc/systemd/system
export PATH={0}:$PATH
"""


def booted(gateway: Gateway, folder: Path) -> Gateway:
    for name in ("run/system", "units"):
        (folder / name).mkdir(parents=True)
    (folder / "systemctl").write_text(SYSTEMCTL)
    (folder / "systemctl").chmod(0o755)
    return Gateway(gateway.site, Mounted(gateway.space.name, folder, MOUNTS), gateway.home)


def become_a_unit(world: World) -> None:
    """Of a tunnel that was brought up without: the unit takes over, and nothing is cut."""
    folder, tunnel = world.folder / "systemd", world.dev.home / "tunnel"
    gateway, daemon = booted(world.dev, folder), (tunnel / "charon.pid").read_text()
    since = time.monotonic()
    for _ in range(2):  # again is no error
        assert "established" in gateway.dayfly("tunnel", "up", "--systemd")
        names = sorted(unit.name.rsplit("-", 1)[1] for unit in (folder / "units").iterdir())
        assert names == ["guard.service", "tunnel.service"]
        assert (tunnel / "keeper.lock").read_text() == (folder / "main").read_text().strip()
        assert (tunnel / "charon.pid").read_text() == daemon
    (connection,) = world.dev.status()["connections"]
    assert connection["seconds"] >= int(time.monotonic() - since)
    assert "restart" not in (folder / "calls").read_text()  # which would take the tunnel down

    gateway.dayfly("tunnel", "down", "--closed")
    (unit,) = (folder / "units").iterdir()
    assert "guard" in unit.name
    world.dev.dayfly("tunnel", "up")
    world.until_pings("10.2.0.9")
