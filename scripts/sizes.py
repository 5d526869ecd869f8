"""Fail when a file has more than 300 lines or a function more than 50."""

import ast
import sys
from pathlib import Path

FILE_LINES, FUNCTION_LINES = 300, 50


def too_long(path: Path) -> list[str]:
    text = path.read_text()
    lines = text.count("\n")
    found = [f"{path}: {lines} lines, {FILE_LINES} are allowed"] if lines > FILE_LINES else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                found.append(
                    f"{path}:{node.lineno} {node.name}: {length} lines, not {FUNCTION_LINES}"
                )
    return found


problems = [line for path in sorted(Path("src").rglob("*.py")) for line in too_long(path)]
sys.exit("\n".join(problems) or 0)
