"""Alembic's and Django's migrations as their files tell, without running them."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from dayfly.database.imported import with_imported
from dayfly.database.tools import Kind, Tool, ToolError, tool_of

_PROGRAMS = ("RunPython", "get_bind", "op.execute", "Session")  # one of these words is in them
_NAMES = ("revision", "down_revision", "depends_on")


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One migration, those it comes after, and (Django) those it stands for."""

    name: str
    after: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All migrations of a source tree, known also when that is gone."""

    kind: Kind
    revisions: tuple[Revision, ...]

    @property
    def named(self) -> dict[str, Revision]:
        return {one.name: one for one in self.revisions}


def tree_of(tool: Tool, source: Path) -> Tree:
    """Without any where the tool is another one."""
    match tool.kind:
        case "alembic":
            found = alembic_revisions(source / tool.place)
        case "django":
            found = django_migrations(source / tool.place)
        case _:
            found = {}
    return Tree(kind=tool.kind, revisions=tuple(found.values()))


def alembic_revisions(versions: Path) -> dict[str, Revision]:
    found: dict[str, Revision] = {}
    for path in sorted(versions.rglob("*.py")):
        fields = _assigned(_parsed(path).body)
        for name in _texts(fields.get("revision")):
            after = (*_texts(fields.get("down_revision")), *_texts(fields.get("depends_on")))
            if name in found:
                raise ToolError(
                    f"two Alembic migrations are called {name}: {found[name].file}, {path.name}",
                    hint="Remove the copy, or give it a revision of its own.",
                )
            found[name] = Revision(name=name, after=after, file=path.name)
    return found


def alembic_heads(found: Mapping[str, Revision]) -> tuple[str, ...]:
    """Those that nothing comes after; Alembic upgrades to `head` only when there is one."""
    before = {name for revision in found.values() for name in revision.after}
    return tuple(name for name in found if name not in before)


def refuse_two_heads(found: Mapping[str, Revision]) -> None:
    heads = alembic_heads(found)
    if len(heads) > 1:
        told = ", ".join(f"{name} ({found[name].file})" for name in heads)
        raise ToolError(
            f"Alembic has {len(heads)} heads: {told}",
            hint='Two branches added a migration each. Join them: alembic merge heads -m "merge".',
        )


def django_migrations(source: Path) -> dict[str, Revision]:
    """Those of the tree itself; apps that are installed bring their own, which are not here."""
    found: dict[str, Revision] = {}
    for path in sorted(source.rglob("migrations/[0-9]*.py")):
        app = path.parent.parent.name
        name = f"{app}.{path.stem}"
        fields = _of_migration(_parsed(path))
        after = tuple(_pairs(fields.get("dependencies")))
        found[name] = Revision(
            name=name, after=after, replaces=tuple(_pairs(fields.get("replaces"))), file=path.name
        )
    return found


def program_texts(source: Path) -> dict[str, str]:
    """Migrations that run a program of their own, as they are written, by name.

    Links are passed over: we would read what they lead to. A tree that nobody understands has
    none; whoever needs its tool says why.
    """
    try:
        tool = tool_of(source)
    except (ToolError, OSError, ValueError):
        return {}
    top = source / tool.place
    match tool.kind:
        case "alembic":
            found = _programs(top, "*.py", (source,))
            return {name: text for path, text in found for name in _revision(path)}
        case "django":
            found = _programs(top, "migrations/[0-9]*.py", (top, source))
            return {f"{path.parent.parent.name}.{path.stem}": text for path, text in found}
        case _:
            return {}


def _programs(top: Path, pattern: str, roots: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for path in sorted(top.rglob(pattern)):
        inside = (path, *(top / part for part in path.relative_to(top).parents))
        if path.is_file() and not any(each.is_symlink() for each in inside):
            text = path.read_text(errors="replace")
            if any(word in text for word in _PROGRAMS):
                yield path, with_imported(text, path, roots)


def _revision(path: Path) -> list[str]:
    try:
        return _texts(_assigned(_parsed(path).body).get("revision"))
    except ToolError:
        return []  # the tool will say so itself


def in_order(found: Mapping[str, Revision]) -> list[Revision]:
    graph = {name: [one for one in rev.after if one in found] for name, rev in found.items()}
    try:
        return [found[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        names = " → ".join(error.args[1])
        raise ToolError(f"migrations come after each other: {names}") from error


def with_what_came_before(found: Mapping[str, Revision], names: set[str]) -> set[str]:
    done: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in done:
            done.add(name)
            waiting += found[name].after if name in found else ()
    return done


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise ToolError(f"{path.name}, line {error.lineno}: {error.msg}") from error


def _assigned(body: list[ast.stmt]) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None:
            found |= {one.id: value for one in targets if isinstance(one, ast.Name)}
    return found


def _of_migration(module: ast.Module) -> dict[str, ast.expr]:
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    return next((_assigned(one.body) for one in classes if one.name == "Migration"), {})


def _texts(node: ast.expr | None) -> list[str]:
    """A text, or those of a tuple or list."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Tuple | ast.List):
        return [text for part in node.elts for text in _texts(part)]
    return []


def _pairs(node: ast.expr | None) -> Iterator[str]:
    """`[("shop", "0001_initial")]` as `shop.0001_initial`."""
    for part in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
        texts = _texts(part)
        if len(texts) == 2:  # noqa: PLR2004 - a pair
            yield ".".join(texts)
