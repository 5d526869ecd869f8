"""Whether a view shows what it showed, under the names by which the outgoing release reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Index, Relation
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.words import plain, tokens
from dayfly.database.sqltext import significant

CHANGED, NOT_UNIQUE, FORBIDDEN = "", "55000", "42501"
_CLAUSES = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "UNION", "WINDOW", "FETCH")
_JOINS = ("LEFT", "RIGHT", "FULL", "JOIN", "CROSS", "NATURAL")
_SETS = ("UNION", "INTERSECT", "EXCEPT")


def views(what: Comparison) -> Iterator[Finding]:
    for old in what.tables:
        now = what.standing(old)
        if now is None or old.kind not in "vm":
            continue
        if now.kind in "vm" and now.definition != old.definition:
            yield from _changed(what, old, now)
        yield from _options(what, old, now)
        if old.kind == now.kind == "m":
            yield from _refreshed(what, old, now)


def _changed(what: Comparison, old: Relation, now: Relation) -> Iterator[Finding]:
    before = read_view(old.definition, [c.name for c in what.before.of(Column, old.oid)])
    after = read_view(_as_called(what, now), [c.name for c in what.after.of(Column, now.oid)])
    name = shown(what.before, old.oid)
    other = other_columns(before, after)
    if other:
        message = f"{name} shows something else as {', '.join(other)}"
        yield breaks(old.oid, message, CHANGED, remedies.ANOTHER_VIEW, old, now)
    if not same_rows(what.after, before, after):
        message = f"{name} is made of other rows than before"
        yield breaks(old.oid, message, CHANGED, remedies.ANOTHER_VIEW, old, now)


def _as_called(what: Comparison, now: Relation) -> str:
    """With the old names of what was renamed: a view follows by itself."""
    renamed: dict[str, str] = {}
    for old in (*what.before.of(Relation), *what.before.of(Column)):
        same = what.after.things.get(old.key)
        if same is not None and same.name != old.name:
            renamed[quoted(same.name)] = quoted(old.name)
    words = [token.text for token in significant(now.definition)]
    return " ".join(renamed.get(word, word) for word in words)


def _options(what: Comparison, old: Relation, now: Relation) -> Iterator[Finding]:
    name = shown(what.before, old.oid)
    new = set(now.options) - set(old.options)
    changed = set(now.options) ^ set(old.options)
    invoked = any(option.startswith("security_invoker=") for option in changed)
    if invoked or now.owner != old.owner:
        message = f"{name} is read with the rights of another role"
        yield breaks(old.oid, message, FORBIDDEN, remedies.CONTRACT, old, now)
    if any(option.startswith("check_option=") for option in new):
        message = f"{name} refuses rows that it would not show"
        yield breaks(old.oid, message, "44000", remedies.CONTRACT, old, now)


def _refreshed(what: Comparison, old: Relation, now: Relation) -> Iterator[Finding]:
    if _concurrent(what.before, old) and not _concurrent(what.after, now):
        name = shown(what.before, old.oid)
        message = f"REFRESH MATERIALIZED VIEW CONCURRENTLY {name} fails: its unique index is gone"
        keys = [index for index in what.before.of(Index, old.oid) if index.unique]
        yield breaks(old.oid, message, NOT_UNIQUE, remedies.CONTRACT, *keys)


def _concurrent(catalogue: Catalogue, view: Relation) -> bool:
    return any(index.refuses_duplicates for index in catalogue.of(Index, view.oid))


@dataclass(frozen=True, kw_only=True)
class View:
    """A query: the expression behind each column, the tables joined, and all that follows."""

    columns: Mapping[str, tuple[str, ...]]
    first: tuple[str, ...]  # of FROM, without the joins behind it
    joins: tuple[tuple[str, ...], ...] = ()
    rest: tuple[str, ...] = ()
    more: "View | None" = None  # behind UNION and its like
    by: tuple[str, ...] = ()  # UNION ALL


def read_view(definition: str, names: list[str]) -> View:
    """As `pg_get_viewdef` writes it; what cannot be taken apart is compared as a whole."""
    return _view([word for word in tokens(definition) if word != ";"], names)


def _view(words: list[str], names: list[str]) -> View:
    end = _first(words, _SETS)
    if end < len(words):
        after = end + 1 + (words[end + 1 : end + 2] == ["ALL"])
        more, by = _view(words[after:], names), tuple(words[end:after])
        return replace(_view(words[:end], names), more=more, by=by)
    words = _without_aliases(words)
    start = _first(words, ("FROM",))
    listed = _listed(words[1:start])
    if words[:1] != ["SELECT"] or len(listed) != len(names):
        return View(columns={}, first=tuple(words))
    columns = {name: _expression(part) for name, part in zip(names, listed, strict=True)}
    source = words[start + 1 :]
    end = _first(source, _CLAUSES)
    parts = _joined(source[:end])
    return View(columns=columns, first=parts[0], joins=parts[1:], rest=tuple(source[end:]))


def other_columns(before: View, after: View) -> list[str]:
    """Columns of both that are something else now."""
    kept = before.columns.keys() & after.columns.keys()
    found = {column for column in kept if before.columns[column] != after.columns[column]}
    if before.more and after.more:
        found |= set(other_columns(before.more, after.more))
    return sorted(found)


def same_rows(catalogue: Catalogue, before: View, after: View) -> bool:
    """The same, or with one row more joined to each for which there is one."""
    if (before.first, before.rest, before.by) != (after.first, after.rest, after.by):
        return False
    if before.more and after.more and not same_rows(catalogue, before.more, after.more):
        return False
    if before.by and before.by[-1] != "ALL" and before.columns.keys() != after.columns.keys():
        return False  # rows that were equal may differ in what is new
    more = list(after.joins)
    for join in before.joins:
        if join not in more:
            return False
        more.remove(join)
    return all(_one_row(catalogue, join) for join in more)


def _one_row(catalogue: Catalogue, join: tuple[str, ...]) -> bool:
    """`LEFT JOIN c ON c.id = o.customer` where c.id is unique."""
    words = [word for word in join if word not in "()"]
    if words[:2] != ["LEFT", "JOIN"] or "ON" not in words:
        return False
    on = words.index("ON")
    table, condition = words[on - 1], words[on + 1 :]
    if "OR" in condition:
        return False
    equal = {
        plain(condition[place + 2])
        for place in range(len(condition) - 2)
        if condition[place : place + 2] == [table, "."] and "=" in _around(condition, place)
    }
    owners = [each for each in catalogue.of(Relation) if each.name == plain(table)]
    return bool(owners) and all(catalogue.is_unique(owner.oid, equal) for owner in owners)


def _around(words: list[str], place: int) -> tuple[str, str]:
    before = words[place - 1] if place else ""
    after = words[place + 3] if place + 3 < len(words) else ""
    return before, after


def _first(words: list[str], wanted: tuple[str, ...]) -> int:
    """Where one of them stands outside of parentheses, or the end."""
    depth = 0
    for place, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in wanted:
            return place
    return len(words)


def _listed(words: list[str]) -> list[list[str]]:
    parts: list[list[str]] = []
    while words:
        end = _first(words, (",",))
        parts.append(words[:end])
        words = words[end + 1 :]
    return parts


def _expression(words: list[str]) -> tuple[str, ...]:
    end = _first(words, ("AS",))
    return tuple(words[:end])


def _joined(words: list[str]) -> tuple[tuple[str, ...], ...]:
    """The first table, and each join with its condition."""
    parts: list[list[str]] = [[]]
    depth = 0
    for place, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        before = words[place - 1] if place else ""
        if depth == 0 and word in _JOINS and before not in (*_JOINS, "OUTER"):
            parts.append([])
        parts[-1].append(word)
    return tuple(map(tuple, parts))


def _without_aliases(words: list[str]) -> list[str]:
    """Each table under its own name: an alias changes nothing. A table used twice keeps them."""
    aliases = dict(_aliases(words))
    if len(set(aliases.values())) < len(aliases):
        return words
    found: list[str] = []
    first = next(iter(aliases.values()), "") if words.count("FROM") == 1 else ""
    for place, word in enumerate(words):
        follows = words[place + 1] if place + 1 < len(words) else ""
        if place and word in aliases and follows != "." and found[-1:] == [aliases[word]]:
            continue  # FROM orders o
        found.append(aliases.get(word, word) if follows == "." else word)
    return _unqualified(found, first) if first else found


def _unqualified(words: list[str], table: str) -> list[str]:
    """The name of the first table is written before a column only where there are others."""
    found: list[str] = []
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
        elif word == table and words[place + 1 : place + 2] == ["."]:
            skip = True
        else:
            found.append(word)
    return found


def _aliases(words: list[str]) -> Iterator[tuple[str, str]]:
    """(alias, table) for each table of FROM and JOIN; without an alias its name twice."""
    for place, word in enumerate(words):
        if word not in ("FROM", "JOIN") or words[place + 1 : place + 2] in ([], ["("]):
            continue
        table = place + 1
        while words[table + 1 : table + 2] == ["."]:
            table += 2
        after = words[table + 1] if table + 1 < len(words) else ""
        named = (after and after[0].isalpha()) or after[:1] in '"_'
        keyword = after in (*_CLAUSES, *_JOINS, "ON", "USING", "INNER", "AND", "AS", "THEN", "ELSE")
        yield (after if named and after and not keyword else words[table]), words[table]
