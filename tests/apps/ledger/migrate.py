"""Somebody's own tool: each file of changes/ runs once, in its own transaction."""

import os
from pathlib import Path

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)")
    done = {row[0] for row in connection.execute("SELECT version FROM schema_migrations")}
    for file in sorted(Path(__file__).with_name("changes").glob("*.sql")):
        if file.stem in done:
            continue
        with connection.transaction():
            connection.execute(file.read_text())
            connection.execute("INSERT INTO schema_migrations VALUES (%s)", (file.stem,))
        print(f"ran {file.name}", flush=True)
