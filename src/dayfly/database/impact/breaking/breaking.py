"""Will the outgoing release go on working? Relations and columns that it knows by name."""

from collections.abc import Iterator
from dataclasses import replace

from dayfly.database.bridge import Bridge
from dayfly.database.impact import remedies
from dayfly.database.impact.breaking.withdrawn import withdrawn
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import ONLINE, Finding, breaks
from dayfly.database.impact.schema.catalogue import Column, Constraint, Relation, Rule
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.schema.types import length, widens

UNDEFINED_TABLE, UNDEFINED_COLUMN = "42P01", "42703"
NOT_NULL, RETYPED, TOO_LONG, FORBIDDEN = "23502", "42804", "22001", "42501"
CHECKED, READ_ONLY, NO_OBJECT = "23514", "55000", "42704"
BRIDGED = "; Dayfly keeps it until that is retired"
_WRITES = 4 | 8 | 16  # UPDATE, INSERT, DELETE


def breaking(what: Comparison) -> Iterator[Finding]:
    yield from _grants(what)
    for old in what.tables:
        new = what.standing(old)
        if new is None:
            yield _gone(what, old)
        else:
            yield from _relation(what, old, new)
            yield from _columns(what, old, new)


def _gone(what: Comparison, old: Relation) -> Finding:
    name = shown(what.before, old.oid)
    now = what.after.relation(old.oid)
    kind = {"v": "view", "m": "materialized view", "S": "sequence"}.get(old.kind, "table")
    if now is None:
        message = f"drops the {kind} {name}, which the outgoing release may use"
        remedy = remedies.drop_later(f"DROP {kind.upper()} {name}")
    else:
        message = f"renames the {kind} {name} to {shown(what.after, old.oid)}"
        remedy = remedies.rename_table(name, shown(what.after, old.oid), _given(old))
    return breaks(old.oid, message, UNDEFINED_TABLE, remedy, old)


def _given(old: Relation) -> list[str]:
    """To others than its owner, who has a view's rights anyway."""
    return [grant for grant in old.grants if grant.rpartition(":")[0] != old.owner]


def _relation(what: Comparison, old: Relation, new: Relation) -> Iterator[Finding]:
    name = shown(what.before, old.oid)
    if old.holds_rows and new.kind == "v" and new.writable & _WRITES != _WRITES:
        message = f"{name} becomes a view that cannot be written"
        yield breaks(old.oid, message, READ_ONLY, remedies.WRITABLE_VIEW, old, new)
    if old.populated and not new.populated:
        message = f"{name} holds no data until it is refreshed: each query of it fails"
        yield breaks(old.oid, message, READ_ONLY, remedies.REFRESHED, old, new)
    if old.kind != "S" and old.parent and new.parent != old.parent:
        message = f"takes {name} out of {shown(what.before, old.parent)}: its rows vanish there"
        yield breaks(old.oid, message, CHECKED, remedies.CONTRACT, old)
    if new.kind != "S" and new.parent and not old.parent:
        message = f"makes {name} a partition {new.bound}: it refuses rows outside"
        yield breaks(old.oid, message, CHECKED, remedies.CONTRACT, old)
    hidden = (new.row_security, new.forced) > (old.row_security, old.forced)
    if hidden and (new.forced or what.role != new.owner or not what.role):
        message = f"hides rows of {name} from who is not its owner (row security)"
        yield breaks(old.oid, message, FORBIDDEN, remedies.policy_first(name, what.role), old)


def _columns(what: Comparison, old: Relation, new: Relation) -> Iterator[Finding]:
    for column in what.before.of(Column, old.oid):
        now = what.standing(column)
        if now is None:
            yield _column_gone(what, column)
        elif now != column or len(set(_made_of(what, column, now))) > 1:
            yield from _changed(what, column, now, alone=new.kind in "rp" and not old.parent)
    if new.kind in "rp" and not old.parent:
        for column in what.after.of(Column, new.oid):
            required = column.not_null or column.key in what.refusing
            if what.is_new(column) and required and not column.fills_itself:
                yield _required(what, old, column)


def _changed(what: Comparison, old: Column, new: Column, *, alone: bool) -> Iterator[Finding]:
    """`alone`: in a table that takes rows itself, and not as somebody's partition."""
    refused = what.after.checks(new.type) - what.before.checks(old.type)
    if (refused and new.type != old.type) or not widens(*_made_of(what, old, new)):
        yield _retyped(what, old, new)
    elif alone:
        yield from _stricter(what, old, new)


def _made_of(what: Comparison, old: Column, new: Column) -> tuple[str, str]:
    """Their types, of domains what is below."""
    return what.before.underlying(old.type), what.after.underlying(new.type)


def _column_gone(what: Comparison, old: Column) -> Finding:
    table, name = shown(what.before, old.table), quoted(old.name)
    now = what.after.things.get(old.key)
    if now is None:
        message = f"drops {table}.{name}, which the outgoing release may use"
        remedy = remedies.drop_column(table, name, required=old.not_null and not old.fills_itself)
    else:
        message = f"renames {table}.{name} to {quoted(now.name)}"
        remedy = remedies.rename_column(table, name, quoted(now.name), old.type)
    return breaks(old.table, message, UNDEFINED_COLUMN, remedy, old)


def _retyped(what: Comparison, old: Column, new: Column) -> Finding:
    table, name = shown(what.before, old.table), quoted(old.name)
    narrowed = length(old.type) is not None and length(new.type) is not None
    types = (old.type, new.type) if old.type != new.type else _made_of(what, old, new)
    message = f"changes {table}.{name} from {types[0]} to {types[1]}"
    state = TOO_LONG if narrowed else RETYPED
    return breaks(old.table, message, state, remedies.retype(table, name, new.type), old)


def _stricter(what: Comparison, old: Column, new: Column) -> Iterator[Finding]:
    table, name = shown(what.before, old.table), quoted(old.name)
    if new.not_null and not old.not_null and not _proven(what, old):
        message = f"{table}.{name} becomes NOT NULL: what the outgoing release leaves out fails"
        yield breaks(old.table, message, NOT_NULL, remedies.not_null(table, name), old)
    if old.default and not new.default and not new.fills_itself:
        yield _missed(what, old.table, new, old.default)
    elif old.fills_itself and not new.fills_itself and new.not_null:
        message = f"{table}.{name} no longer fills itself"
        yield breaks(old.table, message, NOT_NULL, remedies.CONTRACT, old)
    if new.generated and not old.generated:
        message = f"{table}.{name} becomes generated: writing it fails"
        yield breaks(old.table, message, "428C9", remedies.CONTRACT, old, new)
    if old.generated and new.expression != old.expression:
        message = f"{table}.{name} is no longer what it was made of: {old.expression}"
        yield breaks(old.table, message, "", remedies.CONTRACT, old, new)
    if new.lenient and new.lenient != old.lenient:
        message = f"{table}.{name} takes other letters for equal: comparisons and LIKE change"
        yield breaks(old.table, message, "0A000", remedies.CONTRACT, old)
    if new.identity == "a" != old.identity:
        message = f"{table}.{name} becomes GENERATED ALWAYS: writing it fails"
        yield breaks(old.table, message, "428C9", remedies.CONTRACT, old)


def _proven(what: Comparison, column: Column) -> bool:
    """A CHECK that was there before refused NULL already."""
    spelled = f"CHECK (({quoted(column.name)} IS NOT NULL))"
    return (what.before.path(column)[1:3], spelled) in what.constraints_before


def _required(what: Comparison, owner: Relation, column: Column) -> Finding:
    default = what.defaults.get(column.key, "")
    if default:
        return _missed(what, owner.oid, column, default)
    table, name = shown(what.before, owner.oid), quoted(column.name)
    message = f"adds {table}.{name}, NOT NULL without a default: inserts that do not know it fail"
    remedy = remedies.add_required(table, name, column.type)
    return breaks(owner.oid, message, NOT_NULL, remedy, column)


def _missed(what: Comparison, table: int, column: Column, default: str) -> Finding:
    """A default that is gone: kept where that can be done without anybody noticing."""
    owner, name = shown(what.after, column.table), quoted(column.name)
    message = (
        f"drops the default of {owner}.{name}, on which inserts of the outgoing release depend"
    )
    state = NOT_NULL if column.not_null else ""
    remedy = remedies.keep_default(owner, name, default)
    why = _unbridgeable(what, column)
    if why:
        return breaks(table, f"{message}; {why}", state, remedy, column)
    found = breaks(table, message + BRIDGED, state, remedy, column)
    return replace(found, verdict=ONLINE, bridge=_bridge(what, column))


def _bridge(what: Comparison, column: Column) -> Bridge:
    owner = what.after.relation(column.table)
    schema, table = (owner.schema, owner.name) if owner else ("", "")
    return Bridge(schema=schema, table=table, column=column.name, default=what.spelled[column.key])


def _unbridgeable(what: Comparison, column: Column) -> str:
    """Why nobody can go on giving what the default gave; empty where Dayfly can."""
    old = what.before.named.get(what.after.path(column))
    if column.key not in what.spelled:
        return "it cannot be set again"
    if not column.not_null:
        return "what they leave out cannot be told from the NULL that they write"
    if isinstance(old, Column) and old.type != column.type:
        return f"its type changes from {old.type} to {column.type}"
    if any("ON INSERT" in rule.definition for rule in what.after.of(Rule, column.table)):
        return "a rule rewrites its inserts"
    if _may_dangle(what, column):
        return "nobody knows whether what it refers to is there"
    return ""


def _may_dangle(what: Comparison, column: Column) -> bool:
    """A new foreign key that no row of production has proven for the default."""
    return any(
        key.kind == "f" and column.number in key.columns and key.key not in what.before.things
        for key in what.after.of(Constraint, column.table)
        if not key.valid or not what.has_rows(column.table)
    )


def _grants(what: Comparison) -> Iterator[Finding]:
    for old, now, gone in withdrawn(what):
        own = (what.role, "public")
        lost = [one for one in gone if not what.role or one.split(":")[0] in own]
        if lost:
            told = ", ".join(lost)
            message = f"takes rights on {old.name} away: {told}"
            table = old.oid if isinstance(old, Relation) else old.table
            yield breaks(table, message, FORBIDDEN, remedies.CONTRACT, old, now)
