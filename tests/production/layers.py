"""What a first build makes of requirements, handed on from one environment to the next.

A virtual environment takes five seconds, and dozens of environments begin with the same one.
"""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from dayfly.images import layers


def lend(images: Path) -> None:
    """What earlier environments of this process have built for the app of this folder."""
    for kept in _kept(images.name).iterdir():
        _put(kept, images / kept.name)


def keep(images: Path) -> None:
    """For the next environment."""
    for made in images.glob("layer-*"):
        to = _kept(images.name) / made.name
        if not to.exists() and layers.read(made):
            _put(made, to)


def _put(tree: Path, to: Path) -> None:
    """Linked, but for files that name their own folder: those name the new one."""
    layer = layers.read(tree)
    assert layer
    shutil.copytree(tree, to, symlinks=True, copy_function=os.link)
    for name in layer.naming:
        there, was = tree / name, to / name
        was.unlink()
        if there.is_symlink():
            was.symlink_to(str(there.readlink()).replace(str(tree), str(to)))
        else:
            was.write_bytes(there.read_bytes().replace(bytes(tree), bytes(to)))
            was.chmod(there.stat().st_mode)


@cache
def _kept(app: str) -> Path:
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix=f"dayfly-layers-{app}-"))
    atexit.register(shutil.rmtree, folder)
    return folder
