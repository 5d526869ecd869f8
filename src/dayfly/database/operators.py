"""The server of a `scratch_url`: databases of ours on it, and never anything of somebody else's.

A run's databases and roles go with it. What a crash left is known by its name, and by no session
of its run being there any more.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from psycopg import Connection, errors, sql
from psycopg.conninfo import conninfo_to_dict

from dayfly.database.connection import connect
from dayfly.database.problems import connecting, shown
from dayfly.database.production import Production, Role, reading
from dayfly.database.programs import DatabaseError
from dayfly.database.restoring import restore
from dayfly.database.role_settings import put_back, role_settings
from dayfly.database.roles import given_passwords, roles_of, set_back
from dayfly.database.turns import take_turn

PREFIX = "dayfly_scratch_"
MARK = "Made by Dayfly for copies of a database; it is dropped when nothing needs it."
_SESSION = "dayfly scratch "
_SUPERUSER = "Let scratch_url enter as a superuser: a schema of several owners needs one."
_FORCE_SINCE = 130000
_WHICH = """
    SELECT system_identifier::text, pg_postmaster_start_time()::text FROM pg_control_system()
"""
_OURS = "SELECT datname::text FROM pg_database WHERE datname ~ %s"
_LIVE = "SELECT application_name::text FROM pg_stat_activity WHERE application_name ~ %s"
_ROLES = """
    SELECT rolname::text, coalesce(shobj_description(oid, 'pg_authid'), '') = %s FROM pg_roles
"""
_MEMBER_OF = """
    SELECT rolname::text FROM pg_roles WHERE pg_has_role(oid, 'MEMBER') AND rolname !~ '^pg_'
"""
_RIGHTS = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
_MEMBER = re.compile(r'must be (?:member of|able to SET ROLE|owner of) (?:role )?"?([^"\n]+)"?')


@dataclass(frozen=True, kw_only=True)
class OperatorsServer:
    """Enters as the user of the URL; only roles that we made get a password."""

    base: str  # the URL, as the operator wrote it
    run: str
    user: str
    made: frozenset[str]  # roles that we made, now or in another run
    ours: frozenset[str]  # roles whose rights we have, these among them
    key: bytes  # of their passwords
    whole: bool  # whatever becomes of the operator's roles can be put back

    @property
    def maintenance(self) -> str:
        return urlsplit(self.base).path.removeprefix("/") or "postgres"

    @property
    def template(self) -> str:
        return f"{PREFIX}{self.run}"

    def owner(self, role: str) -> str:
        return role if role in self.ours else self.user

    def new_name(self) -> str:
        return f"{PREFIX}{self.run}_{secrets.token_hex(4)}"

    def url(self, database: str) -> str:
        return urlsplit(self.base)._replace(path=f"/{database}").geturl()

    def admit(self, connection: Connection, role: str, *, superuser: bool | None = None) -> None:
        """A role that is the operator's keeps its password: we take its rights instead."""
        del superuser  # nobody becomes one on a server that is not ours
        if role in self.made:
            words = sql.Identifier(role), sql.Literal(self._password(role))
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(*words))

    def refuse_lasting(self, texts: Iterable[str]) -> None:
        """A password that we cannot read is the one thing that we cannot put back."""
        given = {role for text in texts for role in given_passwords(text)} - self.made
        if given and not self.whole:
            role = min(given)
            raise DatabaseError(
                f"the migration gives the role {role} a password, and on the server of scratch_url "
                "it would stay so",
                hint=f"Where {role} is one of that server's own roles, set its password there "
                f"again. Let scratch_url enter as a superuser: then it is put back.",
            )

    def entered_by(self, role: str, url: str) -> str:
        parts = urlsplit(url)
        if role in self.made:
            host = parts.netloc.rpartition("@")[2]
            return parts._replace(
                netloc=f"{quote(role, safe='')}:{self._password(role)}@{host}"
            ).geturl()
        if role == self.user:
            return url
        escaped = role.replace("\\", "\\\\").replace(" ", "\\ ")
        option = urlencode({"options": f"-c role={escaped}"}, quote_via=quote)
        return parts._replace(query="&".join(filter(None, (parts.query, option)))).geturl()

    def _password(self, role: str) -> str:
        """The same in each run, since runs share roles."""
        return hmac.new(self.key, role.encode(), hashlib.sha256).hexdigest()


@contextmanager
def operators_server(
    scratch_url: str, production_url: str, production: Production
) -> Iterator[OperatorsServer]:
    """With production's roles; what we make there is dropped on the way out."""
    run = secrets.token_hex(8)
    with (
        connecting(scratch_url),
        connect(scratch_url, autocommit=True, application_name=_SESSION + run) as session,
    ):
        _require_fit(session, scratch_url, production_url, production)
        take_turn(session, shown(scratch_url), _SESSION)
        clean(session)
        settings = role_settings(session, f"^{PREFIX}")
        roles = roles_of(session, _operators(session, production))
        try:
            made = _make_roles(session, production)
            password = str(conninfo_to_dict(scratch_url).get("password") or secrets.token_hex(16))
            yield OperatorsServer(
                base=scratch_url,
                run=run,
                user=session.info.user,
                made=made,
                ours=frozenset(row[0] for row in session.execute(_MEMBER_OF)),
                key=password.encode(),
                whole=roles.whole,
            )
        finally:
            set_back(session, roles)
            put_back(session, settings, f"^{PREFIX}")
            _drop(session, f"^{PREFIX}{run}(_[0-9a-f]{{8}})?$")
            clean(session)


def restored(server: OperatorsServer, schema: str, production: Production) -> tuple[str, ...]:
    """As `restore`, where rights may be missing."""
    try:
        return restore(server, schema, production)
    except DatabaseError as error:
        if not isinstance(error.__cause__, errors.InsufficientPrivilege):
            raise
        role = _MEMBER.search(str(error.__cause__))
        grant = f'GRANT "{role[1]}" TO "{server.user}";' if role else _SUPERUSER
        raise DatabaseError(error.message, hint=grant) from error
    except errors.InsufficientPrivilege as error:
        raise DatabaseError(
            f"scratch_url may not do what a copy needs: {str(error).splitlines()[0]}",
            hint="Let it enter as a superuser, or (since PostgreSQL 15): "
            f'GRANT SET ON PARAMETER session_replication_role, log_statement TO "{server.user}";',
        ) from error


def clean(session: Connection) -> None:
    """Drop databases of runs that are over, and then our roles that nothing needs."""
    live = {row[0] for row in session.execute(_LIVE, (f"^{_SESSION}[0-9a-f]{{16}}$",))}
    own = session.info.parameter_status("application_name")
    pattern = f"^{PREFIX}([0-9a-f]{{16}})(_[0-9a-f]{{8}})?$"
    for (name,) in session.execute(_OURS, (pattern,)).fetchall():
        run = name.removeprefix(PREFIX)[:16]
        if _SESSION + run not in live:
            _drop(session, f"^{name}$")
    if live - {own}:
        return  # its roles may be ours
    for name, ours in session.execute(_ROLES, (MARK,)).fetchall():
        if ours:
            with suppress(errors.DependentObjectsStillExist, errors.InsufficientPrivilege):
                session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def _drop(session: Connection, pattern: str) -> None:
    force = " WITH (FORCE)" if session.info.server_version >= _FORCE_SINCE else ""
    for (name,) in session.execute(_OURS, (pattern,)).fetchall():
        with suppress(errors.InsufficientPrivilege, errors.ObjectInUse):
            session.execute(
                sql.SQL(f"DROP DATABASE IF EXISTS {{}}{force}").format(sql.Identifier(name))
            )


def _require_fit(
    session: Connection, scratch_url: str, production_url: str, production: Production
) -> None:
    version = session.info.server_version // 10_000
    if version != production.version:
        raise DatabaseError(
            f"scratch_url ({shown(scratch_url)}) runs PostgreSQL {version}, and production "
            f"{production.version}",
            hint="Migrations may do other things there: name a server of the same major version.",
        )
    with reading(production_url) as other:
        if other.execute(_WHICH).fetchone() == session.execute(_WHICH).fetchone():
            raise DatabaseError(
                f"scratch_url ({shown(scratch_url)}) is production's own server",
                hint="Migrations are tried on it, some of which change the whole server: "
                "name another one.",
            )
    superuser, databases, roles = session.execute(_RIGHTS).fetchone() or (False,) * 3
    if not superuser and not (databases and roles):
        user = session.info.user
        lacks = "CREATEDB" if not databases else "CREATEROLE"
        raise DatabaseError(
            f"scratch_url enters as {user}, who lacks {lacks}",
            hint=f'Let a superuser type: ALTER ROLE "{user}" CREATEDB CREATEROLE;',
        )


def _operators(session: Connection, production: Production) -> set[str]:
    """Roles that are the operator's, and that a migration may know."""
    known = {session.info.user, *(role.name for role in production.roles)}
    there: dict[str, bool] = dict(session.execute(_ROLES, (MARK,)).fetchall())
    return {name for name, ours in there.items() if name in known and not ours}


def _make_roles(session: Connection, production: Production) -> frozenset[str]:
    """Those that are missing, without any right; the names of all that are ours."""
    there: dict[str, bool] = dict(session.execute(_ROLES, (MARK,)).fetchall())
    new = [r for r in production.roles if not r.name.startswith("pg_") and r.name not in there]
    made = frozenset(name for name, ours in there.items() if ours) | {r.name for r in new}
    for role in new:
        name = sql.Identifier(role.name)
        session.execute(sql.SQL("CREATE ROLE {} {}").format(name, _attributes(role)))
        session.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(MARK)))
        if role.name != session.info.user:
            session.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
    for role in new:
        for group in role.member_of:
            if group in made or group.startswith("pg_"):
                _grant(session, group, role.name)
    return made


def _attributes(role: Role) -> sql.SQL:
    return sql.SQL("NOSUPERUSER INHERIT" if role.inherits else "NOSUPERUSER NOINHERIT")


def _grant(session: Connection, group: str, role: str) -> None:
    """What it may not give, the copy lacks: a migration that needs it fails there."""
    with suppress(errors.InsufficientPrivilege):
        words = sql.Identifier(group), sql.Identifier(role)
        session.execute(sql.SQL("GRANT {} TO {}").format(*words))
