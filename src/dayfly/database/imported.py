"""Functions that a migration in Python imports from its own source tree, put into its text.

Only what is imported by its name (`from shop.services import mend`) and is made of functions and
constants: a class of rows, or a module, does more than can be read off these lines.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_MOST = 50  # definitions: what needs more is an application rather than a migration
_Definition = ast.FunctionDef | ast.Assign | ast.AnnAssign


class _BeyondError(Exception):
    """It cannot be put in: the import stays, and says that something is elsewhere."""


def with_imported(text: str, file: Path, roots: Sequence[Path]) -> str:
    """The text with those functions in it; as it is, where there are none or it is no Python.

    `roots` are folders that absolute imports begin in. Links are not followed.
    """
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return text
    put_in = False
    for holder, place in _imports(module):
        found = _Found(roots, {*_names(module)})
        try:
            for alias in place.names:
                found.take(alias, place, file)
        except (_BeyondError, OSError, SyntaxError, ValueError):
            continue
        holder[holder.index(place)] = ast.copy_location(ast.Pass(), place)
        module.body = [*found.imports, *module.body, *found.definitions.values()]
        put_in = True
    return ast.unparse(ast.fix_missing_locations(module)) if put_in else text


def _imports(module: ast.Module) -> list[tuple[list[ast.stmt], ast.ImportFrom]]:
    """With the list that each stands in."""
    bodies = [
        body
        for node in ast.walk(module)
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody"))
        if isinstance(body, list)
    ]
    return [(body, each) for body in bodies for each in body if isinstance(each, ast.ImportFrom)]


def _names(module: ast.AST) -> Iterator[str]:
    """Of all that the text defines, wherever."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@dataclass
class _Found:
    """Definitions in the order in which they were come upon."""

    roots: Sequence[Path]
    taken: set[str]  # names that mean something else already
    definitions: dict[str, _Definition] = field(default_factory=dict)
    imports: list[ast.ImportFrom] = field(default_factory=list)
    _from: dict[str, Path] = field(default_factory=dict)

    def take(self, alias: ast.alias, place: ast.ImportFrom, importer: Path) -> None:
        """One name and all that it uses; _BeyondError where that is not to be had."""
        file = self._file(place, importer)
        if file is None or alias.asname:
            raise _BeyondError
        self._define(alias.name, file, ast.parse(file.read_bytes()))

    def _define(self, name: str, file: Path, module: ast.Module) -> None:
        if self._from.get(name) == file:
            return
        node = next((each for each in module.body if name in _defined(each)), None)
        if not isinstance(node, ast.FunctionDef | ast.Assign | ast.AnnAssign):
            raise _BeyondError
        inside = {*_names(node)} - {name}
        functions = {each.name for each in ast.walk(node) if isinstance(each, ast.FunctionDef)}
        if name in self.taken or self.taken & inside & functions or _takes_all(module):
            raise _BeyondError
        if len(self.definitions) == _MOST:
            raise _BeyondError
        self.taken |= {name, *inside}
        self._from[name], self.definitions[name] = file, node
        for used in _used(node):
            self._use(used, file, module)

    def _use(self, name: str, file: Path, module: ast.Module) -> None:
        for each in module.body:
            if name in _defined(each):
                self._define(name, file, module)
            if isinstance(each, ast.Import) and name in _imported(each):
                raise _BeyondError  # what it calls of that is not known by its name alone
            if isinstance(each, ast.ImportFrom):
                self._import(name, each, file)

    def _import(self, name: str, place: ast.ImportFrom, file: Path) -> None:
        for alias in place.names:
            if (alias.asname or alias.name) != name:
                continue
            if self._file(place, file) is not None or place.level:
                self.take(alias, place, file)
            else:
                self.imports.append(ast.ImportFrom(place.module, [alias], 0))

    def _file(self, place: ast.ImportFrom, importer: Path) -> Path | None:
        """That it imports from, where that is one of ours."""
        parts = (place.module or "").split(".") if place.module else []
        begins = [importer.parents[place.level - 1]] if place.level else self.roots
        for begin in begins:
            path = begin.joinpath(*parts)
            for each in (path.with_suffix(".py"), path / "__init__.py"):
                if each.is_file() and _ours(each, self.roots):
                    return each
        return None


def _ours(file: Path, roots: Sequence[Path]) -> bool:
    """Inside one of the roots, by way of no link."""
    for root in roots:
        if file.is_relative_to(root):
            ways = (file, *(root / part for part in file.relative_to(root).parents))
            return not any(way.is_symlink() for way in ways[:-1])
    return False


def _takes_all(module: ast.Module) -> bool:
    """`from … import *`: nobody knows what its names mean."""
    froms = (each for each in module.body if isinstance(each, ast.ImportFrom))
    return any(alias.name == "*" for each in froms for alias in each.names)


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {each.id for each in targets if isinstance(each, ast.Name)}
    return set()


def _imported(node: ast.Import) -> set[str]:
    return {each.asname or each.name.partition(".")[0] for each in node.names}


def _used(node: ast.AST) -> set[str]:
    words = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return {each.id for each in words if isinstance(each.ctx, ast.Load)}
