"""The file archive as the operator of an environment has it: all of it, without a key."""

from dayfly.config.address import EVERYWHERE, address_of
from dayfly.config.environment import Environment as Settings
from dayfly.config.home import Home
from dayfly.environment import archive
from dayfly.errors import DayflyError
from dayfly.files import starting
from dayfly.files.operated import Operated


def operated(home: Home, settings: Settings) -> Operated:
    found = archive.place(home, settings)
    return Operated(
        root=found.root,
        index=found.index,
        accounts=found.accounts,
        endpoint=lambda host: _endpoint(home, host),
    )


def _endpoint(home: Home, host: str) -> str:
    try:
        return reached(starting.load(home.files).listen, host)
    except DayflyError:
        return ""


def reached(listen: str, host: str) -> str:
    """By somebody who came to this host by that name; where it listens, if that is one address."""
    address = address_of(listen)
    if address is None:
        return ""
    name = host if address[0] in EVERYWHERE else address[0]
    return f"http://{f'[{name}]' if ':' in name else name}:{address[1]}"
