"""The team that runs the conference's site: it types `dayfly`, and nothing else."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from production.environment import DAYFLY, Production

PATIENCE_SECONDS = 600.0  # npm builds for half a minute where nothing else runs


@dataclass(frozen=True)
class Team:
    production: Production
    checkout: Path

    def types(self, *words: str, answer: str = "") -> str:
        """What the command says; an AssertionError with all of it when it fails."""
        ended = subprocess.run(
            [*DAYFLY, *words],
            cwd=self.checkout,
            env=self.production.surroundings,
            input=answer,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        said = f"dayfly {' '.join(words)}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        assert ended.returncode == 0, said
        return ended.stdout

    def reads(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.types(*words, "--json"))

    def fleets(self) -> list[int]:
        """Releases that have machines in service or warm, in order."""
        (app,) = self.reads("status")["apps"]
        return sorted(each["release"] for each in [app["serving"], *app["warm"]])

    def version_serving(self) -> str:
        """Which pretalx the machines of the serving release run."""
        asks = "import pretalx; print(pretalx.__version__)"
        return self.types("run", "--", "python", "-c", asks).strip().splitlines()[-1]
