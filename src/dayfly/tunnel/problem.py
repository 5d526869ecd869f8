"""What can go wrong with a tunnel."""

from dayfly.errors import DayflyError


class TunnelError(DayflyError):
    """The tunnel can't be set up, or it is not what was asked for."""


class UnseenError(TunnelError):
    """Who asks may not see how it is."""

    def __init__(self) -> None:
        super().__init__("only root can see whether the tunnel is up", hint="sudo dayfly tunnel …")
