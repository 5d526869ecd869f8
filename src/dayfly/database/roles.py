"""What roles of the operator's server may do, and with which password: a migration changes it.

A copy is dropped, but a role is the whole server's: who logs in there, or owns what is in other
databases, must find it as it was.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import psycopg
from psycopg import Connection, sql

_ATTRIBUTES = """
    SELECT r.oid::int8, r.rolname::text, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb,
        r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil::text,
        {password} FROM {roles} r WHERE r.rolname = ANY (%s) OR r.oid = ANY (%s)
"""
_MEMBERS = """
    SELECT DISTINCT g.rolname::text, r.rolname::text, m.admin_option FROM pg_auth_members m
    JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
    WHERE g.oid = ANY (%s) AND r.oid = ANY (%s)
"""
_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_WORDS = ("SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS")
_PASSWORD = re.compile(
    r'\bALTER\s+(?:ROLE|USER)\s+(?!MAPPING\b)(?P<role>"(?:[^"]|"")+"|\w+)[^;]*?\bPASSWORD\b',
    re.IGNORECASE,
)

Membership = tuple[str, str, bool]  # the group, its member, and whether that may pass it on


@dataclass(frozen=True, kw_only=True)
class Role:
    name: str
    may: tuple[bool, ...]  # as of _WORDS
    sessions: int
    until: str | None
    password: str | None = None  # as the server keeps it; only a superuser reads it


_FRESH = Role(name="", may=tuple(word == "INHERIT" for word in _WORDS), sessions=-1, until=None)


@dataclass(frozen=True, kw_only=True)
class Roles:
    """By number, which a role keeps under another name."""

    each: Mapping[int, Role]
    members: frozenset[Membership]
    whole: bool  # with their passwords


def roles_of(session: Connection, names: Collection[str], numbers: Collection[int] = ()) -> Roles:
    [(whole,)] = session.execute(_SUPERUSER).fetchall()
    words = ("r.rolpassword::text", "pg_authid") if whole else ("NULL::text", "pg_roles")
    asked = _ATTRIBUTES.format(password=words[0], roles=words[1])
    rows = session.execute(asked.encode(), ([*names], [*numbers])).fetchall()
    each = {
        row[0]: Role(name=row[1], may=row[2:9], sessions=row[9], until=row[10], password=row[11])
        for row in rows
    }
    members = session.execute(_MEMBERS, ([*each], [*each])).fetchall()
    return Roles(each=each, members=frozenset(members), whole=whole)


def set_back(session: Connection, before: Roles) -> None:
    """As far as our rights reach: who could change it could do no more."""
    now = roles_of(session, [role.name for role in before.each.values()], before.each)
    for number, role in before.each.items():
        for statement in _changes(role, now.each.get(number), whole=before.whole):
            _try(session, statement)
    for group, member, _ in now.members - before.members:
        _try(session, sql.SQL("REVOKE {} FROM {}").format(*map(sql.Identifier, (group, member))))
    for group, member, admin in before.members - now.members:
        text = "GRANT {} TO {}" + " WITH ADMIN OPTION" * admin
        _try(session, sql.SQL(text).format(*map(sql.Identifier, (group, member))))


def _changes(before: Role, now: Role | None, *, whole: bool) -> Iterator[sql.Composed]:
    name = sql.Identifier(before.name)
    if now is None:
        yield sql.SQL("CREATE ROLE {}").format(name)
        now = replace(_FRESH, name=before.name)
    elif now.name != before.name:  # which takes a password away that MD5 has made of both
        yield sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(now.name), name)
        now = replace(now, password=None)
    if words := [*_words(before, now)]:
        yield sql.SQL("ALTER ROLE {} ").format(name) + sql.SQL(" ").join(words)
    if whole and now.password != before.password:
        yield sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(before.password))


def _words(before: Role, now: Role) -> Iterator[sql.Composable]:
    """Only of what is another: some may be set by nobody but a superuser."""
    for word, was, is_ in zip(_WORDS, before.may, now.may, strict=True):
        if was != is_:
            yield sql.SQL(word if was else f"NO{word}")
    if before.sessions != now.sessions:
        yield sql.SQL("CONNECTION LIMIT {}").format(before.sessions)
    if before.until != now.until:
        yield sql.SQL("VALID UNTIL {}").format(before.until or "infinity")


def _try(session: Connection, statement: sql.Composed) -> None:
    with suppress(psycopg.Error), session.transaction():
        session.execute(statement)


def given_passwords(text: str) -> Iterator[str]:
    """Roles that there are and a statement gives a password, as it calls them; in code, too."""
    for found in _PASSWORD.finditer(text):
        role = found["role"]
        yield role[1:-1].replace('""', '"') if role.startswith('"') else role.lower()
