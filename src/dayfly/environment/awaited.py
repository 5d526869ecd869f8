"""Whether the services of an environment are up, and what they said when they are not."""

from dayfly.client import Client, ClientError
from dayfly.clock import DeadlineError, wait_until
from dayfly.config.contexts import own_context
from dayfly.config.environment import Environment as Settings
from dayfly.config.home import Home
from dayfly.environment import supervised
from dayfly.environment.elsewhere import is_elsewhere
from dayfly.environment.views import is_up
from dayfly.errors import DayflyError

UP_SECONDS = 30.0


class ServiceError(DayflyError):
    """A service of the environment did not start or did not stop."""


def wait_until_up(home: Home, settings: Settings) -> None:
    """ServiceError with their last words when they don't come up."""
    own = own_context(home)
    client = Client(own.address, own.token, ca=own.ca)
    # A tunnel needs the other site, and is brought up by itself.
    others = {supervised.TUNNEL, *(["files"] if is_elsewhere(settings) else [])}

    def answers() -> bool:
        try:
            services = client.get("/api/status")["services"]
        except ClientError:
            return False
        return all(is_up(told) for name, told in services.items() if name not in others)

    try:
        wait_until(answers, seconds=UP_SECONDS, what="the services answer", poll=0.1)
    except DeadlineError as error:
        raise ServiceError(error.message, hint=_last_words(home)) from error


def _last_words(home: Home, lines: int = 8) -> str:
    """What the services said last, for whoever has to find out why they don't run."""
    said = []
    names = supervised.BEFORE_MACHINES + supervised.AFTER_MACHINES
    for log in (home.run / f"{name}.log" for name in names):
        if log.exists():
            said += [f"{log}:", *log.read_text(errors="replace").splitlines()[-lines:]]
    return "\n".join(said)
