"""pretalx's own settings, with the database taken from DATABASE_URL and mail going to stdout."""

import os
from importlib import import_module
from urllib.parse import unquote, urlsplit

_database = urlsplit(os.environ.get("DATABASE_URL", ""))
if _database.scheme:  # a build has no database
    os.environ |= {
        "PRETALX_DB_TYPE": "postgresql",
        "PRETALX_DB_NAME": _database.path.removeprefix("/"),
        "PRETALX_DB_USER": unquote(_database.username or ""),
        "PRETALX_DB_PASS": unquote(_database.password or ""),
        "PRETALX_DB_HOST": _database.hostname or "",
        "PRETALX_DB_PORT": str(_database.port or 5432),
    }

# All of them: `import *` would leave out `_VITE_IGNORE`.
globals().update(vars(import_module("pretalx.settings")))

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
