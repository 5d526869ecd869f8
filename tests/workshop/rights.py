"""A server that is not root, which may not read everything."""

import ctypes
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def plain_user() -> Iterator[Path]:
    """A folder of a plain user's, whose rights to files this thread has until the end."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid():
            yield Path(folder)
            return
        os.chown(folder, NOBODY, NOBODY)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.setfsgid(NOBODY)
        libc.setfsuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            libc.setfsuid(0)
            libc.setfsgid(0)
