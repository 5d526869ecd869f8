"""swanctl.conf for who wants files: of this side, or of a peer that has no Dayfly."""

from dataclasses import replace

from dayfly.config.tunnel import Tunnel
from dayfly.tunnel.connections import Section, connections, shared_keys, text
from dayfly.tunnel.plan import ReadAws, planned
from dayfly.tunnel.problem import TunnelError

HIDDEN = "PUT-THE-KEY-HERE"


def swanctl(tunnel: Tunnel, site: str, aws: ReadAws) -> str:
    """The file of one site. Keys are not in it: its reader knows where they belong."""
    if site not in tunnel.site:
        allowed = " and ".join(tunnel.site)
        raise TunnelError(f"{site}: no such site; there are {allowed}")
    if tunnel.site[site].aws is not None:
        raise TunnelError(f"{site} is at AWS, which needs no file")
    own = replace(tunnel, here=site)
    plan = planned(own, HIDDEN if tunnel.secret else None, aws)
    sections: Section = {"connections": connections(plan, kernel=True)}
    head = [
        f"# The tunnel between {plan.here} and {plan.there}, from the side of {plan.here}.",
        "# Into /etc/swanctl/conf.d/; `swanctl --load-all` reads it.",
    ]
    if keys := shared_keys(plan):
        secrets: Section = {
            name: {**_section(each), "secret": HIDDEN} for name, each in keys.items()
        }
        sections["secrets"] = secrets
    else:
        head += [
            f"# `dayfly tunnel certificate {plan.here}` writes {plan.here}.pem with three parts:",
            "# the key for private/, its certificate for x509/ and the CA's for x509ca/,",
            "# below /etc/swanctl.",
        ]
    return "\n".join(head) + "\n" + text(sections)


def _section(value: object) -> Section:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value
