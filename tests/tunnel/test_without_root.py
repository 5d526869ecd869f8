"""Who is not root is told in a line what only root may, by every command and by the server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateways import PRODUCTION, SITES
from workshop import open_folder

NOBODY = 65534
# Types each command, and asks as the server does; one process, as each takes its time to start.
# All is imported before, as not everybody may read where this Python lies.
PROGRAM = f"""
import os, pkgutil, sys
from importlib import import_module
from pathlib import Path
import dayfly.cli, dayfly.environment, dayfly.tunnel
for package in (dayfly.cli, dayfly.environment, dayfly.tunnel):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        import_module(module.name)
from dayfly.cli import main
from dayfly.config.home import Home
from dayfly.config.load import settings_of
from dayfly.environment import gateway
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
for words in sys.argv[2:]:
    sys.argv[1:] = words.split()
    print("TYPED", words, flush=True)
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush(); sys.stderr.flush()
        print("STATUS", end.code, flush=True)
home = Home(Path(os.environ["DAYFLY_HOME"]))
if os.access(home.path, os.R_OK):
    settings = settings_of(home)
    print("SERVER", gateway.state(home, settings), gateway.missing(home, settings), flush=True)
"""


def home_of(folder: Path, *, owner: int) -> Path:
    """With a `tunnel/` and a `ca/` as root makes them."""
    folder.mkdir()
    head = '[tunnel]\nhere = "dev"\nrequired = true\nsecret = "TUNNEL_KEY"\n'
    (folder / "environment.toml").write_text(head + SITES)
    (folder / "environment.toml").chmod(0o644)
    (folder / "secrets").mkdir()
    (folder / "secrets/dayfly.json").write_text('{"TUNNEL_KEY": "one key, on both gateways"}')
    for path in (folder, *folder.iterdir(), folder / "secrets/dayfly.json"):
        os.chown(path, owner, owner)
    for made_by_root in ("tunnel", "ca"):
        (folder / made_by_root).mkdir(mode=0o700)
    (folder / "tunnel/keeper.lock").write_text("")
    (folder / "secrets").chmod(0o700)
    folder.chmod(0o711)
    return folder


def typed(home: Path, *commands: str) -> dict[str, str]:
    """What each of them said."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "-", *commands],
        env={**os.environ, "PYTHONPATH": "src", "DAYFLY_HOME": str(home), "HOME": "/nowhere"},
        input="a key of more than twenty characters",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    _, *parts = done.stdout.replace("SERVER", "TYPED SERVER").split("TYPED ")
    return {word: part for word in (*commands, "SERVER") for part in parts if part.startswith(word)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_is_not_root_is_told() -> None:
    root_only = "a tunnel needs root: it changes routes"
    with open_folder() as folder:
        said = typed(
            home_of(folder / "of-root", owner=0),
            *("tunnel up", "tunnel down", "tunnel check", "tunnel capture /tmp/x", "tunnel status"),
            *("tunnel key", f"tunnel revoke {PRODUCTION}", f"tunnel certificate {PRODUCTION}"),
        )
        for words, says in {
            "tunnel up": root_only,
            "tunnel down": root_only,
            "tunnel check": root_only,
            "tunnel capture /tmp/x": root_only,
            "tunnel status": f"{folder}/of-root/secrets/dayfly.json is somebody else's",
            "tunnel key": f"{folder}/of-root is somebody else's",
            f"tunnel revoke {PRODUCTION}": f"{folder}/of-root/ca/ca.key is somebody else's",
            f"tunnel certificate {PRODUCTION}": f"{folder}/of-root/tunnel is somebody else's",
        }.items():
            assert says in said[words], said
            assert "STATUS 1" in said[words], said
        (folder / "of-root").chmod(0o700)
        says = f"{folder}/of-root/environment.toml is somebody else's"
        assert says in typed(folder / "of-root", "tunnel status")["tunnel status"]

        # A server of its own user, on a gateway whose tunnel root has brought up.
        said = typed(
            home_of(folder / "of-server", owner=NOBODY),
            *("tunnel status", "tunnel down", f"tunnel revoke {PRODUCTION}"),
        )
        unseen = "only root can see whether the tunnel is up"
        assert unseen in said["tunnel status"]
        assert root_only in said["tunnel down"]
        assert "of-server/ca/ca.key is somebody else's" in said[f"tunnel revoke {PRODUCTION}"]
        assert said["SERVER"].count(unseen) == 2
        assert "'state': 'unknown', 'to': 'production'" in said["SERVER"]
