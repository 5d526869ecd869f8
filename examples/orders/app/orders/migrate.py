"""python -m orders.migrate: bring the schema up to date with migrations/*.sql, each file once."""

from pathlib import Path

from orders.database import single

FOLDER = Path(__file__).parent.parent / "migrations"
ONE_AT_A_TIME = 4711  # any number, the same in every version


def migrate():
    """Apply what is new, each file in a transaction of its own; return the names."""
    with single() as connection:
        connection.autocommit = True
        connection.execute("SELECT pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())"
        )
        rows = connection.execute("SELECT name FROM schema_migrations").fetchall()
        known = {row["name"] for row in rows}
        new = [file for file in sorted(FOLDER.glob("*.sql")) if file.name not in known]
        for file in new:
            with connection.transaction():
                connection.execute(file.read_text())
                connection.execute("INSERT INTO schema_migrations VALUES (%s)", (file.name,))
            print(f"migrated: {file.name}", flush=True)
    return [file.name for file in new]


if __name__ == "__main__":
    if not migrate():
        print("nothing to migrate")
