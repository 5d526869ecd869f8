"""`python -m campaigns NAME [--seed N] [--budget S] [--fresh]` writes docs/evidence/NAME.json.

A campaign keeps its progress in a folder of its own: run again, it goes on where the budget ended
or somebody pulled the plug. `--fresh` begins anew, as do another commit and another seed: what is
written is of the one that it names.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from campaigns import (
    acceptance,
    crash,
    cutover,
    files,
    labelled,
    logs,
    s3,
    stories,
    tunnel,
    versions,
    vm,
)
from dayfly.command import Setting, output_of

Campaign = Callable[[Path, int, float], dict[str, Any]]

CAMPAIGNS: dict[str, Campaign] = {
    "acceptance": acceptance.run,
    "crash": crash.run,
    "cutover": cutover.run,
    "files": files.run,
    "labelled": labelled.run,
    "logs": logs.run,
    "s3": s3.run,
    "stories": stories.run,
    "tunnel": tunnel.run,
    "versions": versions.run,
    "vm": vm.run,
}
ROOT = Path(__file__).parents[2]
EVIDENCE = ROOT / "docs" / "evidence"


def main() -> int:
    wanted = _wanted()
    commit = _commit()
    progress = f"dayfly-campaign-{wanted.name}-{wanted.seed}-{commit[:12]}"
    folder = Path(tempfile.gettempdir(), progress)
    if wanted.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    found = CAMPAIGNS[wanted.name](folder, wanted.seed, wanted.budget)
    EVIDENCE.mkdir(exist_ok=True)
    evidence = {**_surroundings(wanted, commit), **found}
    path = EVIDENCE / f"{wanted.name}.json"
    path.write_text(json.dumps(evidence, indent=1) + "\n")
    sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0 if found["held"] else 1


def _wanted() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="campaigns", description=__doc__)
    parser.add_argument("name", choices=CAMPAIGNS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=3600.0, metavar="SECONDS")
    parser.add_argument("--fresh", action="store_true", help="forget what was done before")
    return parser.parse_args()


def _commit() -> str:
    return output_of(["git", "rev-parse", "HEAD"], setting=Setting(cwd=ROOT)).strip()


def _surroundings(wanted: argparse.Namespace, commit: str) -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "campaign": wanted.name,
        "command": f"scripts/campaign {wanted.name} --seed {wanted.seed}",
        "seed": wanted.seed,
        "commit": commit,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpus": len(os.sched_getaffinity(0)),
            "memory_mb": memory // 1024**2,
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
    }


if __name__ == "__main__":
    sys.exit(main())
