"""What the text of a migration in Python says it may do to rows, read without running it.

Rows that we make up take few of its branches: the text names what the others would do.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dayfly.database.calls import adds, called, deletes, of_framework, replaces, root, spells
from dayfly.database.impact.words import first_word, set_columns
from dayfly.database.links import Link, links
from dayfly.database.setting import Setting, settings
from dayfly.database.tables import Tables

# Calls whose keywords and strings name columns that are read, not written.
_READING = frozenset({
    "aggregate", "annotate", "column", "defer", "distinct", "exclude", "filter", "filter_by", "get",
    "get_model", "only", "order_by", "prefetch_related", "select_related", "table", "values",
    "values_list",
})  # fmt: skip
_DELETES = frozenset({"DELETE", "TRUNCATE"})
_SAFE = frozenset({*sys.stdlib_module_names, "alembic", "django", "sqlalchemy"})
# With these it can set columns, or run code, that its text does not name.
_DARK = frozenset({
    "__import__", "call_command", "eval", "exec", "from_db", "globals", "import_module",
    "import_string", "locals", "model", "vars",
})  # fmt: skip
_KEYS = frozenset({"id", "pk"})  # whoever sets them writes one row's values into another
_WORD = re.compile(r"[A-Za-z_]\w*")
_QUERY = re.compile(r"\s*(SELECT|WITH|DELETE)\s", re.IGNORECASE)
_UPDATE = re.compile(r"\s*(UPDATE\s|update\s.*\sset\s)", re.DOTALL)


@dataclass(frozen=True)
class Program:
    """The part of a text that runs when the migration is applied."""

    nodes: Sequence[ast.AST]
    whole: bool  # nothing of it is somewhere else
    links: tuple[Link, ...] = ()  # that the migration itself adds

    @cached_property
    def sets(self) -> frozenset[str]:
        """Attributes and columns that it may give another value."""
        return self.named | frozenset(self._words())

    @cached_property
    def assigns(self) -> frozenset[str]:
        """The same, of objects alone: `order.state = …`."""
        return frozenset(setting.name for setting in self.settings)

    @cached_property
    def settings(self) -> frozenset[Setting]:
        """And of which table."""
        return frozenset(settings(self.nodes, list(self._texts())))

    @cached_property
    def spelled(self) -> frozenset[str]:
        """Where it puts names of columns together, all that they may be, and of tables."""
        texts = list(self._texts())
        if not any(map(spells, self._of(ast.Call))) and not any(map(_put_together, texts)):
            return frozenset()
        whole = (text for text in texts if not (_QUERY.match(text) or set_columns(text)))
        words = (word for text in whole for word in _WORD.findall(text))
        return self.named.union(words) - _KEYS

    @cached_property
    def replaced(self) -> frozenset[tuple[str, str]]:
        """Attributes of rows whose others `set` takes away, and the tables of the rows."""
        return self._with_tables(map(replaces, self._of(ast.Call)))

    @cached_property
    def added(self) -> frozenset[tuple[str, str]]:
        """Attributes of rows to which it adds others, and the tables of the rows."""
        return self._with_tables(map(adds, self._of(ast.Call)))

    def _with_tables(self, found: Iterable[ast.Attribute | None]) -> frozenset[tuple[str, str]]:
        tables = Tables(self.nodes)
        return frozenset((tables.of(each.value), each.attr) for each in found if each)

    @cached_property
    def mentions(self) -> frozenset[str]:
        """Every name in it: a document that it holds may be changed in its place."""
        names = (each.attr for each in self._of(ast.Attribute))
        return frozenset({*names, *self.sets, *self._words()})

    @cached_property
    def deletes(self) -> int:
        """In how many places."""
        own = {name for each in self._of(ast.Assign) for name in of_framework(each)}
        calls = sum(deletes(call) and root(call) not in own for call in self._of(ast.Call))
        return calls + sum(first_word(text) in _DELETES for text in self._texts() if " " in text)

    def _of(self, kind: type[ast.AST]) -> Iterator:  # type: ignore[type-arg]
        return (each for each in self.nodes if isinstance(each, kind))

    @cached_property
    def named(self) -> frozenset[str]:
        """What it may set by its name, as a new row's too."""
        calls = (call for call in self._of(ast.Call) if called(call) not in _READING)
        words = {word.arg for call in calls for word in call.keywords if word.arg}
        return self.assigns | words

    def _words(self) -> Iterator[str]:
        """In strings, but for those that name what is read."""
        for text in self._texts():
            yield from _WORD.findall(text)

    def _texts(self) -> Iterator[str]:
        read = {
            id(argument)
            for call in self._of(ast.Call)
            if called(call) in _READING
            for argument in (*call.args, *(word.value for word in call.keywords))
        }
        read.update(id(each.value) for each in self._of(ast.Expr))  # what is said about the code
        for each in self._of(ast.Constant):
            if isinstance(each.value, str) and id(each) not in read:
                yield each.value


def _put_together(text: str) -> bool:
    return _UPDATE.match(text) is not None and not set_columns(text)


def program(text: str) -> Program | None:
    """None where it holds no program, or is no Python."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    roots = list(_roots(module))
    if not roots:
        return None
    functions = {each.name: each for each in ast.walk(module) if isinstance(each, ast.FunctionDef)}
    words = (node for root in roots for node in ast.walk(root) if isinstance(node, ast.Name))
    named = [word.id for word in words if word.id in functions]
    reached = _reached(functions, named)
    bodies = [functions[name] for name in reached]
    bodies += [root for root in roots if isinstance(root, ast.Lambda)]  # type: ignore[misc]
    found = (node for body in (*bodies, *_beside(module)) for node in ast.walk(body))
    nodes = list(dict.fromkeys(found))  # a function inside another is in both
    dark = any(map(_dark, [*nodes, *module.body])) or _makes_rows(module, nodes)
    read = Program(nodes, len(bodies) >= len(roots) and not dark, tuple(links(module)))
    return replace(read, whole=read.whole and not read.named & _KEYS)


def _roots(module: ast.Module) -> Iterator[ast.expr]:
    """What Django's RunPython is given, and Alembic's upgrade."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and called(node) == "RunPython":
            given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
            yield from (each for each in given if getattr(each, "attr", "") != "noop")
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
            yield ast.Name(id="upgrade", ctx=ast.Load())


def _reached(functions: dict[str, ast.FunctionDef], names: list[str]) -> list[str]:
    done: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in done:
            done[name] = None
            words = (n.id for n in ast.walk(functions[name]) if isinstance(n, ast.Name))
            waiting += [word for word in words if word in functions]
    return list(done)


def _beside(module: ast.Module) -> Iterator[ast.stmt]:
    """What the functions use: constants and classes of the text, but for the migration itself."""
    for each in module.body:
        if isinstance(each, ast.ClassDef) and each.name != "Migration":
            yield each
        if isinstance(each, ast.Assign | ast.AnnAssign):
            names = {node.id for node in ast.walk(each) if isinstance(node, ast.Name)}
            if not names & {"revision", "down_revision", "depends_on", "branch_labels"}:
                yield each


def _dark(node: ast.AST) -> bool:
    match node:
        case ast.Import():
            return any(each.name.partition(".")[0] not in _SAFE for each in node.names)
        case ast.ImportFrom():
            return bool(node.level) or (node.module or "").partition(".")[0] not in _SAFE
        case ast.Name():
            return node.id in _DARK
        case ast.Attribute():
            return node.attr in _DARK or node.attr.startswith("__")
        case ast.Call():
            return spells(node)
        case _:
            return False


def _makes_rows(module: ast.Module, nodes: Sequence[ast.AST]) -> bool:
    """Whether it calls what it has worked out: a class of rows takes values without names."""
    own = {each.name for each in module.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    imports = (
        each for each in [*nodes, *module.body] if isinstance(each, ast.Import | ast.ImportFrom)
    )
    known = own | {each.asname or each.name for one in imports for each in one.names}
    known |= set(dir(builtins))
    calls = (each for each in nodes if isinstance(each, ast.Call) and each.args)
    called = (call.func for call in calls if not isinstance(call.func, ast.Attribute))
    return any(not isinstance(each, ast.Name) or each.id not in known for each in called)
