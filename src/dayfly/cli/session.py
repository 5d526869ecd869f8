"""What a command works on: which environment's server, which app, which checkout."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.client import SECONDS, Client
from dayfly.config.home import Home, default_home
from dayfly.errors import DayflyError, UsageError

if TYPE_CHECKING:
    from dayfly.config.contexts import Context

SETTINGS = "dayfly.toml"


class NoCheckoutError(DayflyError):
    """The folder does not belong to an application with a dayfly.toml."""


@dataclass(frozen=True)
class Session:
    """What the command line said before anything was looked up."""

    environment: str | None = None
    named_app: str | None = None
    folder: Path = Path()

    def client(self, *, seconds: float = SECONDS) -> Client:
        from dayfly.cli.ssh import way_of  # noqa: PLC0415

        chosen = self.context()
        return Client(
            chosen.address,
            chosen.token,
            environment=chosen.name,
            seconds=seconds,
            ca=chosen.ca,
            way=way_of(chosen),
        )

    def context(self) -> "Context":
        from dayfly.config.contexts import context  # noqa: PLC0415

        return context(self.environment)

    def home(self) -> Home:
        """The home of an environment on this machine."""
        return default_home()

    def checkout(self) -> Path:
        """The folder of the application: this one or the nearest above with a dayfly.toml."""
        here = self.folder.absolute()
        for folder in (here, *here.parents):
            if (folder / SETTINGS).is_file():
                return folder
        raise NoCheckoutError(
            f"No {SETTINGS} in {here} or above it.",
            hint="Go to the application's checkout; its dayfly.toml says how it is released.",
        )

    def app(self, client: Client) -> str:
        """--app, else the app of this checkout, else the only one the server has."""
        if self.named_app:
            return self.named_app
        try:
            return app_of(self.checkout())
        except NoCheckoutError:
            return _only_app(client)


def app_of(checkout: Path) -> str:
    """The name in a dayfly.toml, of which nothing else is looked at here."""
    from dayfly.config.lines import lines_of  # noqa: PLC0415 - only where an app is asked for
    from dayfly.config.names import name_problem  # noqa: PLC0415
    from dayfly.config.problem import Problem, refusal  # noqa: PLC0415

    file = checkout / SETTINGS
    try:
        text = file.read_text()
        name = str(tomllib.loads(text)["app"])
    except (OSError, ValueError, KeyError) as error:
        raise DayflyError(
            f"{file}: no application's name in it ({error}).",
            hint='It begins with a line like: app = "orders"',
        ) from error
    if says := name_problem(name):
        raise refusal(str(file), [Problem(("app",), says)], lines_of(text), reference=SETTINGS)
    return name


def _only_app(client: Client) -> str:
    apps = [str(entry["app"]) for entry in client.get("/api/status")["apps"]]
    if len(apps) == 1:
        return apps[0]
    known = f"Known are: {', '.join(apps)}." if apps else "Nothing has been released yet."
    raise UsageError("Which application? Name it with --app.", hint=known)
