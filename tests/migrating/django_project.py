"""A project that migrates with Django, one migration of it in Python."""

from pathlib import Path

from dayfly.database.capture import Run
from migrating import python, write

_SETTINGS = """
    import os
    from urllib.parse import urlsplit

    SECRET_KEY = "none"
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop"]
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    USE_TZ = True
    _url = urlsplit(os.environ["DATABASE_URL"])
    DATABASES = {"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": _url.path[1:], "USER": _url.username,
        "PASSWORD": _url.password, "HOST": _url.hostname, "PORT": _url.port,
    }}
"""
_MANAGE = """
    import os, sys
    from django.core.management import execute_from_command_line
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    execute_from_command_line(sys.argv)
"""
_FIRST = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        initial = True
        dependencies = []
        operations = [migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("reference", models.CharField(max_length=40, unique=True)),
        ])]
"""
SECOND = """
    from django.db import migrations, models

    def fill(apps, editor):
        for order in apps.get_model("shop", "Order").objects.order_by("id"):
            order.code = order.reference.upper()
            order.save(update_fields=["code"])

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.AddField("Order", "code", models.CharField(max_length=40, default="")),
            migrations.RunPython(fill),
        ]
"""
THIRD = """
    from django.contrib.postgres.operations import AddIndexConcurrently
    from django.db import migrations, models

    class Migration(migrations.Migration):
        atomic = False
        dependencies = [("shop", "0002_code")]
        operations = [AddIndexConcurrently("Order", models.Index(fields=["code"], name="by_code"))]
"""


def django(folder: Path) -> Path:
    return write(
        folder,
        {
            "manage.py": _MANAGE,
            "settings.py": _SETTINGS,
            "shop/__init__.py": "",
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_initial.py": _FIRST,
        },
    )


def add(folder: Path, name: str, text: str) -> None:
    write(folder, {f"shop/migrations/{name}.py": text})


def migrate(folder: Path) -> Run:
    return python(folder, "manage.py", "migrate", "--noinput", "-v", "0")
