"""What our pages say that a sender is told, with a server of the test in the place of the names."""

import re
from pathlib import Path

from asked import TOKEN, Server

PAGE = Path(__file__).parents[2] / "docs/how-to.md"
_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def told(server: Server, *words: str, **more: object) -> str:
    """The one block that has all the words; `more` are names, with `_` where they have `-`."""
    section = PAGE.read_text().split("## Send logs from elsewhere")[1].split("\n## ")[0]
    (block,) = (block for block in _BLOCK.findall(section) if all(one in block for one in words))
    names = {"LOGS_HOST": "127.0.0.1", "LOGS_PORT": server.port, "TOKEN": TOKEN, **more}
    for name, value in names.items():
        block = block.replace(name.replace("_", "-"), str(value))
    return str(block)
