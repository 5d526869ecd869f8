"""What a person sees in a browser: read-only pages of one environment."""

from dayfly.console.pages import routes
from dayfly.console.session import Sessions
from dayfly.console.state import State

__all__ = ["Sessions", "State", "routes"]
