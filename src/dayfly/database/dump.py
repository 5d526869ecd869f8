"""Production's schema as pg_dump writes it; kept until the schema is another one."""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dayfly.command import CommandError, Setting, output_of
from dayfly.database.encoding import ANY
from dayfly.database.notext import no_text
from dayfly.database.problems import missing_grant, shown
from dayfly.database.production import Production, fingerprint_and_versions, reading, versions
from dayfly.database.programs import DatabaseError, programs_for
from dayfly.durable import write_atomically

DUMP_SECONDS = 300.0
KEPT = "schema-*.sql"
_NO_TEXT = 'invalid byte sequence for encoding "UTF8"'
_MAPPINGS = " USER MAPPING "  # with passwords of foreign servers: such a dump is not kept
_FLAGS = (
    "--schema-only", "--no-password", "--no-subscriptions", "--no-tablespaces",
    "--no-security-labels", "--encoding=UTF8", "--lock-wait-timeout=5000",
)  # fmt: skip
# psql's own commands (a random key), and what names the moment instead of the schema.
_PASSING = re.compile(r"^(\\(un)?restrict .*|-- (Dumped|Started|Completed) .*)\n", re.MULTILINE)


def schema_of(url: str, programs: Path, folder: Path, production: Production) -> str:
    """As `dumped`, which is asked only when the catalogue is not the one of an earlier time."""
    if production.fingerprint:
        kept = _kept(folder, programs, production.fingerprint)
        with suppress(FileNotFoundError):
            os.utime(kept)
            return kept.read_text()
    before, exactly = fingerprint_and_versions(url)
    text = dumped(url, programs)
    if before and exactly == versions(url) and _MAPPINGS not in text:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(_kept(folder, programs, before), text)
    return text


def _kept(folder: Path, programs: Path, of_catalogue: tuple[str, ...]) -> Path:
    program = (programs / "pg_dump").stat()
    writer = (*_FLAGS, str(program.st_size), str(program.st_mtime_ns))
    return folder / KEPT.replace("*", fingerprint(*writer, *of_catalogue))


def dumped(url: str, programs: Path) -> str:
    """The schema; password and user mappings of foreign servers are left out later."""
    parts = {name: str(part) for name, part in conninfo_to_dict(url).items()}
    password = parts.pop("password", "")
    argv = [str(programs / "pg_dump"), *_FLAGS, f"--dbname={make_conninfo(**parts)}"]
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGPASSWORD": password}
    try:
        text = output_of(argv, setting=Setting(env=env), seconds=DUMP_SECONDS)
    except CommandError as error:
        if _NO_TEXT in error.tail:
            raise DatabaseError(
                f"the schema of {shown(url)}, which is in {ANY}, has bytes that are no UTF-8",
                hint="Write these anew in UTF-8: " + ", ".join(no_text(url)),
            ) from error
        user = parts.get("user", "")
        raise DatabaseError(
            f"pg_dump could not read the schema of {shown(url)}: {_told(error)}",
            hint=missing_grant(error.tail, user) or error.tail,
        ) from error
    return _PASSING.sub("", text)


def dump_of(url: str, postgresql: str | None) -> str:
    """As `dumped`, with the programs of the server's own version."""
    with reading(url) as connection:
        version = connection.info.server_version // 10_000
    return dumped(url, programs_for(version, postgresql))


def fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _told(error: CommandError) -> str:
    lines = [line.strip() for line in error.tail.splitlines() if "error" in line]
    return lines[0].removeprefix("pg_dump: error: ") if lines else error.message
