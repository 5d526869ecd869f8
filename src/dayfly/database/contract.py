"""Contract migrations: they take away what only older releases use, and wait until those are gone.

Decided from names and order alone: which of the pending ones run now, which later, and up to where
a tool is told to go meanwhile.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dayfly.database.python_migrations import Revision, Tree, with_what_came_before
from dayfly.database.sqlnames import SqlFile
from dayfly.errors import DayflyError

TARGET = "MIGRATE_TARGET"  # tells a migrate command how far to go
_SEPARATE = "give them a separate release"


class ContractError(DayflyError):
    """What is named in `contract` cannot be left out."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Of what is pending, in order."""

    now: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # of the runs of the command, one after the other


def of_files(
    new: Sequence[SqlFile], patterns: Iterable[str], *, but: Collection[str] = ()
) -> Split:
    """`patterns` name those that wait; `but` names those that run although they are named."""
    waits = {f.name for f in new if f.name not in but and _matches(patterns, f.name)}
    first = ""
    for file in new:
        if file.name in waits:
            first = first or file.name
        elif first and not file.repeatable:  # what may run again comes last anyway
            raise _too_early(file.name, first)
    return _split([file.name for file in new], waits)


def of_revisions(
    tree: Tree, new: Sequence[Revision], patterns: Iterable[str], *, but: Collection[str] = ()
) -> Split:
    """The same of Alembic's and Django's, with the targets where some of them wait."""
    waits = {
        one.name
        for one in new
        if one.name not in but and _matches(patterns, one.name, one.file, _stem(one))
    }
    now = [one.name for one in new if one.name not in waits]
    if not waits:
        return Split(now=tuple(now))
    for name in now:
        before = with_what_came_before(tree.named, {name}) & waits
        if before:
            raise _too_early(name, min(before))
    targets = _of_alembic(tree, waits) if tree.kind == "alembic" else _of_django(now)
    return _split([one.name for one in new], waits, targets)


def names_target(command: str) -> bool:
    """Whether a migrate command says where the target goes."""
    return TARGET in command


def how_to_name_it(command: str) -> str:
    """The same command, with the target."""
    if " upgrade head" in command:
        return command.replace(" upgrade head", f" upgrade ${{{TARGET}:-head}}")
    alembic = "upgrade" in command
    return f"{command} ${{{TARGET}:-head}}" if alembic else f"{command} ${TARGET}"


def undone(split: Split, tree: Tree, recorded: Collection[str]) -> None:
    """ContractError where the command did not go exactly as far as it was told."""
    for name in split.later:
        if name in recorded:
            raise ContractError(
                f"the migrate command runs {name}, a contract migration, in spite of ${TARGET}",
                hint=f"Hand ${TARGET} on to the tool, or {_SEPARATE}.",
            )
    left = [name for name in split.now if tree.kind == "django" and name not in recorded]
    if left:
        raise ContractError(
            f"the migrate command leaves {left[0]} out when it goes as far as {split.targets}",
            hint=f"Order them so that {left[0]} comes before, or {_SEPARATE}.",
        )


def _split(names: Sequence[str], waits: Collection[str], targets: tuple[str, ...] = ()) -> Split:
    return Split(
        now=tuple(name for name in names if name not in waits),
        later=tuple(name for name in names if name in waits),
        targets=targets,
    )


def _too_early(name: str, waiting: str) -> ContractError:
    return ContractError(
        f"{name} comes after {waiting}, which is a contract migration and waits",
        hint=f"Name {name} in `contract` too, or release it when {waiting} has run.",
    )


def _matches(patterns: Iterable[str], *names: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _stem(revision: Revision) -> str:
    return revision.file.removesuffix(".py")


def _of_alembic(tree: Tree, waits: Collection[str]) -> tuple[str, ...]:
    """Alembic takes one: all that does not wait has to end in it."""
    rest = {one.name: one for one in tree.revisions if one.name not in waits}
    before = {name for one in rest.values() for name in one.after}
    ends = [name for name in rest if name not in before]
    if len(ends) != 1:
        told = f"they end in {len(ends)}: {', '.join(ends)}" if ends else "there is none"
        raise ContractError(
            f"Alembic needs one revision before {', '.join(sorted(waits))}; {told}",
            hint=f"Join the branches before them (alembic merge), or {_SEPARATE}.",
        )
    return (ends[0],)


def _of_django(now: Sequence[str]) -> tuple[str, ...]:
    """The last one of each app; what these come after runs with them."""
    last: dict[str, str] = {}
    for name in now:
        app, _, migration = name.partition(".")
        last.pop(app, None)
        last[app] = migration
    return tuple(f"{app} {migration}" for app, migration in last.items())
