"""The server: `python -m dayfly.console HOME` opens an environment and serves API and pages."""

import sys
from pathlib import Path

from dayfly.config.home import Home
from dayfly.console.server import serve

serve(Home(Path(sys.argv[1])))
