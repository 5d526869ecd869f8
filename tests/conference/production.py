"""An environment of its own, driven as a person does: by the `dayfly` command."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SETTINGS = """\
name = "acceptance"
[balancer]
http = "127.0.0.1:{http}"
[api]
listen = "127.0.0.1:{api}"
"""


@dataclass(frozen=True)
class Production:
    """`home` is its DAYFLY_HOME, `checkout` the app's repository, `port` where visitors ask."""

    home: Path
    checkout: Path
    port: int

    @classmethod
    def prepared(cls, folder: Path) -> "Production":
        """Nothing runs yet."""
        with socket.socket() as http, socket.socket() as api:  # both held, so that they differ
            ports = []
            for probe in (http, api):
                probe.bind(("127.0.0.1", 0))
                ports.append(int(probe.getsockname()[1]))
        home = folder / "home"
        home.mkdir(mode=0o711)
        settings = _SETTINGS.format(http=ports[0], api=ports[1])
        (home / "environment.toml").write_text(settings)
        return cls(home, folder / "checkout", ports[0])

    def dayfly(self, *words: str, typed: str = "") -> str:
        """What the command says; an AssertionError with all of it when it fails."""
        program = Path(sys.executable).with_name("dayfly")
        ended = subprocess.run(
            [program, *words],
            cwd=self.checkout,
            env={**os.environ, "DAYFLY_HOME": str(self.home)},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"dayfly {' '.join(words)}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        assert ended.returncode == 0, said
        return ended.stdout

    def told(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.dayfly(*words, "--json"))

    def serving(self) -> int:
        """The number of the release that has the traffic."""
        (app,) = self.told("status")["apps"]
        return int(app["serving"]["release"])

    def version_serving(self) -> str:
        """Which pretalx the machines of the serving release run."""
        asks = "import pretalx; print(pretalx.__version__)"
        return self.dayfly("run", "--", "python", "-c", asks).strip().splitlines()[-1]
