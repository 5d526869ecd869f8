"""What a shell reads."""

import shlex
from collections.abc import Mapping


def exports(env: Mapping[str, str]) -> str:
    """Variables, as a shell reads them; it knows no others than those with plain names."""
    plain = (name for name in sorted(env) if name.isascii() and name.isidentifier())
    return "".join(f"export {name}={shlex.quote(env[name])}\n" for name in plain)
