"""A project that migrates with Alembic."""

from pathlib import Path

from dayfly.database.capture import Run
from migrating import python, write

_ENV = """
    import os
    from alembic import context
    from sqlalchemy import create_engine

    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
    with create_engine(url).connect() as connection:
        context.configure(connection=connection, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()
"""
_VERSION = """
    import sqlalchemy as sa
    from alembic import op

    revision = "{name}"
    down_revision = {after!r}

    def upgrade():
        {work}
"""


def alembic(folder: Path, *, each_alone: bool = False) -> Path:
    options = "{'transaction_per_migration': True}" if each_alone else "{}"
    return write(
        folder,
        {
            "alembic.ini": "[alembic]\nscript_location = %(here)s/alembic\n",
            "alembic/env.py": _ENV.replace("OPTIONS", options),
            "alembic/versions/a1_first.py": _VERSION.format(
                name="a1",
                after=None,
                work="op.create_table('shops', sa.Column('id', sa.Integer, primary_key=True))",
            ),
        },
    )


def add(folder: Path, name: str, after: str, work: str) -> None:
    text = _VERSION.format(name=name, after=after, work=work.replace("\n", "\n        "))
    write(folder, {f"alembic/versions/{name}_more.py": text})


def upgrade(folder: Path) -> Run:
    return python(folder, "-m", "alembic", "upgrade", "head")
