"""Which table the rows of a program are of, as far as its text tells."""

import ast
from collections.abc import Iterator, Sequence

from dayfly.database.calls import called

_SAME = frozenset({"enumerate", "iter", "list", "reversed", "sorted", "tqdm", "tuple"})
_TABLE = frozenset({"Table", "create_table", "table"})
_OF_TABLE = frozenset({"delete", "insert", "query", "select", "update"})
_MAKES = frozenset({"create", "get_or_create", "update_or_create"})
_DEEP = 20  # names for names
_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Tables:
    """Follows names through loops and assignments to the model that they began with."""

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self._parents = {id(child): node for node in nodes for child in ast.iter_child_nodes(node)}
        self._assigned = [
            (name.id, node.value, self._scope(node))
            for node in nodes
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value
            for target in getattr(node, "targets", [getattr(node, "target", node)])
            for name in ast.walk(target)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        ]
        self._classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}

    def of(self, node: ast.AST) -> str:
        """The table of a row, of rows or of a query; empty where nobody can tell."""
        return self._table(node, _DEEP)

    def new(self, node: ast.AST) -> bool:
        """Whether it may be a row that the program itself made."""
        if not isinstance(node, ast.Name):
            return True
        found = list(self._values(node))
        return not found or (not self._loops(node) and any(map(_makes, found)))

    def _table(self, node: ast.AST, deep: int) -> str:
        if not deep:
            return ""
        match node:
            case ast.Name():
                return self._named(node, deep)
            case ast.Call():
                return self._called(node, deep)
            case ast.Attribute(attr="through", value=ast.Attribute() as field):
                owner = self._table(field.value, deep - 1)
                return f"{owner}_{field.attr}" if owner else ""
            case (
                ast.Subscript(value=value)
                | ast.Attribute(
                    attr="objects" | "_default_manager" | "_base_manager" | "__table__", value=value
                )
            ):
                return self._table(value, deep - 1)
            case _:
                return ""

    def _named(self, node: ast.Name, deep: int) -> str:
        if node.id in self._classes and not any(self._values(node)):
            return _of_class(self._classes[node.id])
        found = {self._table(value, deep - 1) for value in self._values(node)}
        return found.pop() if len(found) == 1 else ""

    def _called(self, call: ast.Call, deep: int) -> str:
        name, first = called(call), next(iter(call.args), None)
        if name == "get_model":
            words = "_".join(str(getattr(each, "value", "")) for each in call.args)
            return words.lower().replace(".", "_")
        if name in _TABLE and isinstance(first, ast.Constant):
            return str(first.value)
        if isinstance(call.func, ast.Name) and first is not None and name in _SAME | _OF_TABLE:
            return self._table(first, deep - 1)
        if isinstance(call.func, ast.Attribute):
            below = self._table(call.func.value, deep - 1)
            if not below and first is not None and name in _OF_TABLE:
                return self._table(first, deep - 1)
            return below
        return self._table(call.func, deep - 1)

    def _values(self, node: ast.Name) -> Iterator[ast.AST]:
        """What the name stands for: of the loop around it, else of the function, else of all."""
        if loops := self._loops(node):
            yield loops[0]
            return
        scope = self._scope(node)
        here = [value for name, value, at in self._assigned if name == node.id and at is scope]
        if not here and scope is not None and node.id in _parameters(scope):
            return
        yield from here or [
            value for name, value, at in self._assigned if name == node.id and at is None
        ]

    def _loops(self, node: ast.Name) -> list[ast.AST]:
        return [
            loop.iter
            for outer in self._around(node)
            for loop in (outer.generators if isinstance(outer, _COMPREHENSIONS) else [outer])
            if isinstance(loop, _LOOPS)
            and node.id in {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
        ]

    def _scope(self, node: ast.AST) -> ast.AST | None:
        return next((each for each in self._around(node) if isinstance(each, _SCOPES)), None)

    def _around(self, node: ast.AST) -> Iterator[ast.AST]:
        at = self._parents.get(id(node))
        while at is not None:
            yield at
            at = self._parents.get(id(at))


def _makes(value: ast.AST) -> bool:
    """Whether it is a new row, or may be one."""
    if isinstance(value, ast.Call):
        return called(value) in _MAKES or isinstance(value.func, ast.Name)
    return isinstance(value, ast.BoolOp | ast.IfExp)


def _parameters(scope: ast.AST) -> set[str]:
    return {each.arg for each in ast.walk(scope) if isinstance(each, ast.arg)}


def _of_class(model: ast.ClassDef) -> str:
    """SQLAlchemy's word for it."""
    for each in model.body:
        names = [getattr(target, "id", "") for target in getattr(each, "targets", ())]
        value = getattr(each, "value", None)
        if names == ["__tablename__"] and isinstance(value, ast.Constant):
            return str(value.value)
    return ""
