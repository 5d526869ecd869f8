"""Which columns the text of a program gives other values, and in which tables."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dayfly.database.calls import called, keys, names_it, names_set
from dayfly.database.impact.words import set_columns, updated
from dayfly.database.tables import Tables

_LISTING = frozenset({"bulk_create", "bulk_update", "save"})
_LISTS = frozenset({"fields", "update_fields"})
_DICTS = frozenset({"defaults", "set_"})  # of update_or_create, and of ON CONFLICT


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Of one attribute or column."""

    name: str
    table: str = ""  # empty: nobody can tell
    new: bool = False  # of a row that it may have made itself


def settings(nodes: Sequence[ast.AST], texts: Sequence[str]) -> Iterator[Setting]:
    """Of objects, by UPDATE, and in what is said to be saved."""
    tables = Tables(nodes)
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield from _of_attribute(tables, node)
        if isinstance(node, ast.Call):
            yield from _of_call(tables, node)
    for text in texts:
        for name in set_columns(text):
            yield Setting(name=name, table=updated(text))


def _of_attribute(tables: Tables, node: ast.Attribute | ast.Subscript) -> Iterator[Setting]:
    """Also what changes in a document that it holds."""
    place = node.value if isinstance(node, ast.Subscript) else node
    if isinstance(place, ast.Attribute) and not own(place):
        table = tables.of(place.value)
        if table or place is node:
            yield Setting(name=place.attr, table=table, new=tables.new(place.value))


def own(node: ast.Attribute) -> bool:
    """Of the program itself, not of a row."""
    return node.attr.startswith("_") or getattr(node.value, "id", "") == "self"


def _of_call(tables: Tables, call: ast.Call) -> Iterator[Setting]:
    name = called(call)
    if name in ("update", "values"):
        new = any(called(each) == "insert" for each in _chain(call))
        yield from (Setting(name=n, table=tables.of(call), new=new) for n in names_set(call))
    if name == "setattr" and names_it(call):
        table, new = tables.of(call.args[0]), tables.new(call.args[0])
        yield Setting(name=str(getattr(call.args[1], "value", "")), table=table, new=new)
    if isinstance(call.func, ast.Attribute):
        table = tables.of(call.func.value)
        yield from (Setting(name=each, table=table) for each in _listed(call))
        yield from (Setting(name=each, table=table, new=True) for each in _by_default(call))


def _listed(call: ast.Call) -> Iterator[str]:
    """What it says that it saves."""
    if called(call) in _LISTING:
        given = [word.value for word in call.keywords if word.arg in _LISTS]
        given += call.args[1:2] if called(call) == "bulk_update" else []
        for field in (field for each in given for field in getattr(each, "elts", ())):
            if isinstance(field, ast.Constant) and isinstance(field.value, str):
                yield field.value


def _by_default(call: ast.Call) -> Iterator[str]:
    if called(call) in ("on_conflict_do_update", "update_or_create"):
        for each in (word.value for word in call.keywords if word.arg in _DICTS):
            yield from keys(each)


def _chain(node: ast.AST) -> Iterator[ast.Call]:
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Call):
            yield node
        node = node.func if isinstance(node, ast.Call) else node.value
