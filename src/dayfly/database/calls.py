"""What a call in a program of Python does to rows, as far as its text tells."""

import ast
from collections.abc import Iterator

_DELETING = frozenset({"delete", "_raw_delete", "truncate"})
_UNLINKING = frozenset({"clear", "remove"})  # of what belongs to a row; lists have them too
_FRAMEWORK = frozenset({"auth.permission", "contenttypes.contenttype"})


def deletes(call: ast.Call) -> bool:
    """Also what goes by a name that it puts together."""
    name = called(call)
    if name in _UNLINKING:
        return isinstance(getattr(call.func, "value", None), ast.Attribute)
    by_name = isinstance(call.func, ast.Call) and called(call.func) == "getattr"
    return name in _DELETING or by_name


def of_framework(assigned: ast.Assign) -> Iterator[str]:
    """Names for what Django keeps for itself, of which it makes again what is missing."""
    call = assigned.value
    if isinstance(call, ast.Call) and called(call) == "get_model":
        words = [str(getattr(each, "value", "")).lower() for each in call.args]
        if ".".join(words) in _FRAMEWORK:
            yield from (each.id for each in assigned.targets if isinstance(each, ast.Name))


def root(node: ast.AST) -> str:
    """The name with which a chain of calls begins."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return str(getattr(node, "id", ""))


def names_set(call: ast.Call) -> Iterator[str]:
    """Of UPDATE: by keyword, or in a dict."""
    yield from (word.arg for word in call.keywords if word.arg)
    for each in _given(call):
        yield from keys(each)


def keys(given: ast.AST) -> Iterator[str]:
    """Columns that a dict names, by a string or as an attribute of their table."""
    for key in given.keys if isinstance(given, ast.Dict) else ():
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value
        if isinstance(key, ast.Attribute):
            yield key.attr


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords if word.arg is None)]


def spells(call: ast.Call) -> bool:
    """Whether it sets what is called as only the running program knows."""
    unpacks = any(word.arg is None for word in call.keywords)
    by_name = called(call) == "setattr" and not names_it(call)
    return unpacks or by_name or _by_unknown_keys(call)


def _by_unknown_keys(call: ast.Call) -> bool:
    """Of rows; what updates a dict is called on a name."""
    of_rows = isinstance(getattr(call.func, "value", None), ast.Call)
    known = (ast.Constant, ast.Attribute)
    return (
        of_rows
        and called(call) in ("update", "values")
        and any(
            not isinstance(key, known)
            for each in _given(call)
            if isinstance(each, ast.Dict)
            for key in each.keys
        )
    )


def replaces(call: ast.Call) -> ast.Attribute | None:
    """What of a row `set` gives others, and takes away those that it had."""
    owner = getattr(call.func, "value", None)
    one = called(call) == "set" and len(call.args) == 1
    return owner if one and isinstance(owner, ast.Attribute) else None


def adds(call: ast.Call) -> ast.Attribute | None:
    """What `add` gives a row of others, that may have belonged to another one."""
    owner = getattr(call.func, "value", None)
    one = called(call) == "add" and bool(call.args)
    if not one or not isinstance(owner, ast.Attribute) or owner.attr == "session":
        return None
    return None if root(owner) == "self" else owner


def names_it(call: ast.Call) -> bool:
    return len(call.args) > 1 and isinstance(call.args[1], ast.Constant)


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))
