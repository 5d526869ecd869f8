"""An app that keeps what it writes in the file archive: `s3.py` and nothing but the library."""

from pathlib import Path

CLIENT = Path(__file__).parent / "s3.py"
