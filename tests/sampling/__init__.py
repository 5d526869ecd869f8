"""Of what takes long the whole suite runs some, and each commit others.

`scripts/test --whole` runs all of it, as do the campaigns.
"""

import random
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

DEAR = Path(__file__).parent / "dear.toml"


def chosen(groups: Mapping[str, Sequence[str]], rows: Mapping[str, int], seed: str) -> set[str]:
    """Names that are run: of each group as many as `rows` says, the same ones for one seed."""
    return {
        name
        for group, names in groups.items()
        for name in _picked(random.Random(f"{seed} {group}"), names, rows[group])
    }


def left_out(seed: str) -> set[str]:
    """Dear files, below the folder of tests, that wait for another commit."""
    promises = tomllib.loads(DEAR.read_text())["promise"]
    groups = {promise["name"]: promise["files"] for promise in promises}
    rows = {promise["name"]: promise["runs"] for promise in promises}
    return {name for names in groups.values() for name in names} - chosen(groups, rows, seed)


def _picked(chance: random.Random, names: Sequence[str], rows: int) -> list[str]:
    return chance.sample(sorted(names), min(rows, len(names)))
