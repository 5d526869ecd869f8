"""The settings files with every key: they make the docs and the file that an operator starts from.

In them a comment stands above what it explains, `# example` marks a value that is no default, and
a key that cannot stand beside another one is commented out without a blank: `#dockerfile = …`.
"""

import re
from pathlib import Path

APP = "dayfly.toml"
ENVIRONMENT = "environment.toml"


def reference(file: str) -> str:
    return Path(__file__).with_name(file).read_text()


def starting_environment() -> str:
    """An environment.toml that changes nothing: every key is there, commented out."""
    # A header of a table that has a name of its own would already say something, and [tunnel] too.
    speaking = re.compile(r"^(?=[a-z_]+ = |\[[a-z]+\.|\[tunnel\])", re.MULTILINE)
    return (
        "# Every setting is shown with its default or an example: to change one, remove its #.\n"
        "# `dayfly down` and `dayfly up` apply what was changed.\n\n"
        + speaking.sub("#", reference(ENVIRONMENT))
    )
