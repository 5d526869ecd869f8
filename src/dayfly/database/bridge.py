"""A default that the outgoing release depends on, and the migration takes away."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import sql

from dayfly.database.impact.schema.names import quoted

_BODY = """
-- Made by Dayfly: fills {where} while a release is under way, and is dropped after it.
DECLARE
    left_out boolean;
BEGIN
    BEGIN
        left_out := NEW.{column} IS NOT DISTINCT FROM NULL;
    EXCEPTION WHEN undefined_column THEN
        RETURN NEW;  -- the migration has not added it yet
    END;
    IF left_out THEN
        EXECUTE ${tag}$SELECT {default}${tag}$ INTO NEW.{column};
    END IF;
    RETURN NEW;
END
"""


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """Keeps an old default alive until the outgoing release is retired."""

    schema: str
    table: str
    column: str
    default: str  # an expression that means the same whatever the search_path

    @property
    def keep(self) -> str:
        return f"ALTER TABLE {self._where} SET DEFAULT {self.default}"

    @property
    def drop(self) -> str:
        return f"ALTER TABLE {self._where} DROP DEFAULT"

    @property
    def function(self) -> str:
        """The name of the guard's function, in the table's schema."""
        where = f"{self.schema}\0{self.table}\0{self.column}"
        return f"dayfly_bridge_{hashlib.sha256(where.encode()).hexdigest()[:12]}"

    @property
    def trigger(self) -> str:
        """Fires before any other, as a default stands before any trigger; they go by name."""
        return f"!{self.function}"

    @property
    def body(self) -> str:
        """Of the guard: nothing in it is looked up before the column is there."""
        return _BODY.format(
            where=" ".join(f"{self.schema}.{self.table}.{self.column}".split()),
            column=_always_quoted(self.column),
            default=self.default,
            tag=f"d{hashlib.sha256(self.default.encode()).hexdigest()[:12]}",
        )

    @property
    def names(self) -> dict[str, sql.Composable]:
        """For the statements that are executed."""
        return {
            "table": sql.Identifier(self.schema, self.table),
            "column": sql.Identifier(self.column),
            "function": sql.Identifier(self.schema, self.function),
            "trigger": sql.Identifier(self.trigger),
        }

    @property
    def shown(self) -> str:
        table = quoted(self.table)
        owner = table if self.schema == "public" else f"{quoted(self.schema)}.{table}"
        return f"{owner}.{quoted(self.column)}"

    @property
    def _where(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.table)} ALTER COLUMN {quoted(self.column)}"

    def as_json(self) -> dict[str, str]:
        """With its SQL, for whoever reads it."""
        return {**asdict(self), "keep": self.keep, "drop": self.drop}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Bridge":
        return cls(
            schema=value["schema"],
            table=value["table"],
            column=value["column"],
            default=value["default"],
        )


def _always_quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
