"""Of what has many costly rows the whole suite runs some, and each commit others.

`scripts/test --whole` runs all of them, as do the campaigns.
"""

import random
from collections.abc import Mapping, Sequence


def chosen(groups: Mapping[str, Sequence[str]], rows: Mapping[str, int], seed: str) -> set[str]:
    """Names that are run: of each group as many as `rows` says, the same ones for one seed."""
    return {
        name
        for group, names in groups.items()
        for name in _picked(random.Random(f"{seed} {group}"), names, rows[group])
    }


def _picked(chance: random.Random, names: Sequence[str], rows: int) -> list[str]:
    return chance.sample(sorted(names), min(rows, len(names)))
