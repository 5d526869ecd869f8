"""Ansible's way into the container that an image is made in: through Dayfly's door to it.

Ansible runs this file, as the user that runs the playbook, who may not talk to docker.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
from pathlib import Path

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: dayfly
author: Dayfly
short_description: commands in the container that Dayfly makes an image in
description: Each command is a connection to the socket that DAYFLY_DOOR names.
options: {}
"""


class Connection(ConnectionBase):
    transport = "dayfly"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return _asked(cmd, in_data or b"")

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        _required(_asked(f"cat > {shlex.quote(out_path)}", Path(in_path).read_bytes()))

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        Path(out_path).write_bytes(_required(_asked(f"cat {shlex.quote(in_path)}", b"")))

    def close(self):
        self._connected = False


def _asked(command, data):
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(os.environ["DAYFLY_DOOR"])
        with door.makefile("rwb") as stream:
            stream.write(json.dumps({"command": command, "bytes": len(data)}).encode() + b"\n")
            stream.write(data)
            stream.flush()
            told = json.loads(stream.readline() or '{"status": 255, "out": 0, "err": 0}')
            return told["status"], stream.read(told["out"]), stream.read(told["err"])


def _required(answer):
    status, out, err = answer
    if status:
        raise OSError(err.decode(errors="replace").strip())
    return out
