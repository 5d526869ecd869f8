"""Files that belong to an order: drawings, signed offers. They lie in uploads/."""

import os
import secrets
from pathlib import Path

from werkzeug.utils import secure_filename

FOLDER = Path("uploads")


def add(connection, order, upload):
    """Store the whole file first, then name it in the database."""
    FOLDER.mkdir(exist_ok=True)
    name = secure_filename(upload.filename or "") or "file"
    file = f"{secrets.token_hex(8)}-{name}"
    unfinished = FOLDER / f".{file}.part"
    upload.save(unfinished)
    size = unfinished.stat().st_size
    os.replace(unfinished, FOLDER / file)
    connection.execute(
        "INSERT INTO attachments (order_id, name, file, size) VALUES (%s, %s, %s, %s)",
        (order["id"], name, file, size),
    )


def of(connection, order):
    return connection.execute(
        "SELECT * FROM attachments WHERE order_id = %s ORDER BY id", (order["id"],)
    ).fetchall()


def find(connection, order, number):
    return connection.execute(
        "SELECT * FROM attachments WHERE order_id = %s AND id = %s", (order["id"], number)
    ).fetchone()
