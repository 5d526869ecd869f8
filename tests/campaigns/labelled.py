"""Real migrations, labelled by hand before any program answered, and how each is judged."""

import re
import statistics
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaigns import programs
from campaigns.verdicts import BUDGET, CASES, HARMLESS, Answer, Verdict
from copies import Copies, migration
from dayfly.database.captured import Transaction
from dayfly.database.impact.assess import assess
from dayfly.database.impact.finding import VERDICTS
from dayfly.database.memory import quickest
from dayfly.database.scratch import scratch_server

TOOLS = ("django", "alembic", "sql", "flyway")
LEAST, RIGHT, FALSE_ALARMS = 150, 0.95, 0.05
_OUTSIDE = re.compile(r"\b(CONCURRENTLY|VACUUM)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Case(Verdict):
    """One migration as its statements, and the schema that it met."""

    schema: tuple[str, ...]
    transactions: tuple[Transaction, ...]
    rows: dict[str, int]


def run(_folder: Path, _seed: int, _budget: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="dayfly-labelled-") as place:
        Path(place).chmod(0o755)
        server_folder = quickest(Path(place), 0) / "labelled"
        with scratch_server(server_folder, None) as server:
            copies = Copies.of(server, ())
            answers = [answer(copies, case) for case in cases()]
            scratch = server_folder.parent / "scratch"
            answers += [programs.answered(server, scratch, each) for each in programs.programs()]
    return figures(answers)


def cases() -> list[Case]:
    found: list[Case] = []
    for path in sorted(CASES.glob("*.toml")):
        data = tomllib.loads(path.read_text())
        found += [_case(data["tool"], each) for each in data["case"]]
    return found


def _case(tool: str, data: dict[str, Any]) -> Case:
    return Case(
        name=data["name"],
        tool=tool,
        origin=data["from"],
        schema=tuple(data["schema"]),
        transactions=tuple(_transaction(texts) for texts in data["transactions"]),
        rows=data["rows"],
        label=data["label"],
        loses=data["loses"],
        why=data["why"],
    )


def _transaction(texts: Sequence[str]) -> Transaction:
    return migration(*texts, alone=len(texts) == 1 and bool(_OUTSIDE.search(texts[0])))


def answer(copies: Copies, case: Case) -> Answer:
    url = copies.renewed(case.schema)
    began = time.monotonic()
    impact = assess(url, case.transactions, rows=case.rows, budget=BUDGET)
    return Answer(
        case=case,
        verdict=impact.verdict,
        findings=tuple(f"{found.verdict}: {found.message}" for found in impact.findings),
        seconds=time.monotonic() - began,
    )


def figures(answers: Sequence[Answer]) -> dict[str, Any]:
    harmless = sum(each.case.label in HARMLESS for each in answers)
    right = sum(each.right for each in answers) / len(answers)
    false_alarms = sum(each.false_alarm for each in answers) / harmless
    missed = [each.case.name for each in answers if each.missed]
    held = not missed and right >= RIGHT and false_alarms <= FALSE_ALARMS and len(answers) >= LEAST
    return {
        "held": held,
        "cases": len(answers),
        "by_tool": dict(Counter(each.case.tool for each in answers)),
        "origins": len({each.case.origin.split()[0] for each in answers}),
        "matrix": _matrix(answers),
        "right": round(right, 4),
        "false_alarms": round(false_alarms, 4),
        "missed": missed,
        "wrong": [_wrong(each) for each in answers if not each.right],
        "seconds_p95": round(statistics.quantiles([e.seconds for e in answers], n=20)[-1], 3),
    }


def _matrix(answers: Sequence[Answer]) -> dict[str, dict[str, int]]:
    """How often each label was given each verdict."""
    counted = Counter((each.case.label, each.verdict) for each in answers)
    return {label: {verdict: counted[label, verdict] for verdict in VERDICTS} for label in VERDICTS}


def _wrong(each: Answer) -> dict[str, Any]:
    return {
        "name": each.case.name,
        "label": each.case.label,
        "verdict": each.verdict,
        "why": each.case.why,
        "findings": list(each.findings),
    }
