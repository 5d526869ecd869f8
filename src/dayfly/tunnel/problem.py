"""What can go wrong with a tunnel."""

from dayfly.errors import DayflyError


class TunnelError(DayflyError):
    """The tunnel can't be set up, or it is not what was asked for."""
