"""What lets a build made again come out the same, and why a file may differ all the same."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

# Python then compiles without naming a time, and other tools write this one: the first that a zip
# archive can hold. Sets keep their order in what is compiled.
REPEATABLE: Mapping[str, str] = {"SOURCE_DATE_EPOCH": "315532800", "PYTHONHASHSEED": "0"}

_REASONS = (
    ("etc/machine-id", "names the machine that it was made on"),
    ("etc/ssh/ssh_host_*", "is a key, made anew in each build"),
    ("etc/ssl/private/*", "is a key, made anew in each build"),
    ("etc/ssl/certs/ssl-cert-snakeoil.pem", "belongs to a key that each build makes anew"),
    ("etc/*shadow*", "names days of changes, and belongs to the users"),
    ("etc/passwd*", "lists the users"),
    ("etc/group*", "lists the groups"),
    ("etc/ld.so.cache", "lists the libraries of all packages"),
    ("var/lib/dpkg/*", "lists the packages"),
    ("var/lib/apt/*", "lists what apt knows of packages"),
    ("*.pyc", "is compiled of the file beside it, and may name a time"),
    ("*.dist-info/*", "tells of a Python package, and from where it came"),
    ("*.log", "is written while a step works"),
    ("*.a", "is an archive that names times"),
    ("*.gz", "is packed, and may name a time"),
    ("*.jar", "is packed, and may name a time"),
    ("*.zip", "is packed, and may name a time"),
)


def reason_of(path: str) -> str:
    """Why a file of two builds may differ; empty where only its content tells."""
    name = path.lstrip("/")
    return next((why for pattern, why in _REASONS if fnmatchcase(name, pattern)), "")
