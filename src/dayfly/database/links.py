"""Many-to-many fields that the text of a migration adds, and what rows call them from each side."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dayfly.database.calls import called


@dataclass(frozen=True, kw_only=True)
class Link:
    """`field` of rows of `owner`, whose tables end so; those of `target` call it `back`."""

    owner: str
    field: str
    target: str
    back: str

    def kept_in(self, table: str) -> bool:
        return table.endswith(f"_{self.owner}_{self.field}")

    def goes_by(self, table: str, attribute: str) -> bool:
        """For rows of a table."""
        return attribute == self.back and table.endswith(f"_{self.target}")


def links(module: ast.Module) -> Iterator[Link]:
    for call in ast.walk(module):
        if isinstance(call, ast.Call) and called(call) == "AddField":
            names = [
                _text(_given(call, at, name)) for at, name in enumerate(("model_name", "name"))
            ]
            field = _given(call, 2, "field")
            if isinstance(field, ast.Call) and called(field) == "ManyToManyField" and all(names):
                owner, target = names[0].lower(), _text(_given(field, 0, "to"))
                back = _text(_given(field, len(field.args), "related_name"))
                yield Link(
                    owner=owner,
                    field=names[1],
                    target=target.rpartition(".")[2].lower(),
                    back=back or f"{owner}_set",
                )


def _given(call: ast.Call, place: int, name: str) -> ast.expr | None:
    words = [word.value for word in call.keywords if word.arg == name]
    return next(iter([*call.args[place : place + 1], *words]), None)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
