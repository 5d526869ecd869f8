"""That a VM holds what the image holds: all of it, and what makes a machine of it beside it."""

import json
from collections.abc import Mapping

from dayfly.images.contents import Contents
from dayfly.images.differences import Difference, differences
from dayfly.images.fingerprint import key_of

# Lists that every package that is added has its line in, and what is each machine's own.
REGISTRIES = (
    "etc/fstab", "etc/group", "etc/group-", "etc/gshadow", "etc/gshadow-", "etc/ld.so.cache",
    "etc/machine-id", "etc/passwd", "etc/passwd-", "etc/shadow", "etc/shadow-",
    "var/lib/apt/extended_states", "var/lib/dpkg/status", "var/lib/dpkg/status-old",
    "var/lib/dpkg/triggers/File",
)  # fmt: skip
_FETCHED = "var/lib/apt/lists"  # what apt knows of archives is removed with each layer


def unlike(image: Contents, vm: Contents) -> tuple[Difference, ...]:
    """Of what the image holds all that the VM has not, or has otherwise; nothing is what is right.

    The registries' own lines count: packages and users of the image are in the VM as they were.
    """
    return differences(compared(image), _only(compared(vm), compared(image)))


def fingerprints(image: Contents, vm: Contents) -> tuple[str, str]:
    """Of both, without what a VM adds: two that are equal hold the same."""
    own = compared(image)
    return _print_of(own), _print_of(_only(compared(vm), own))


def added(image: Contents, vm: Contents) -> tuple[str, ...]:
    """The packages that a VM has more."""
    return tuple(sorted(vm.apt.keys() - image.apt.keys()))


def compared(holds: Contents) -> Contents:
    files = {
        name: about
        for name, about in holds.files.items()
        if name not in REGISTRIES and name != _FETCHED and not name.startswith(f"{_FETCHED}/")
    }
    return Contents(files=files, apt=holds.apt, pip=holds.pip, users=holds.users)


def _only(holds: Contents, model: Contents) -> Contents:
    return Contents(
        files=_of(holds.files, model.files),
        apt=_of(holds.apt, model.apt),
        pip=_of(holds.pip, model.pip),
        users=_of(holds.users, model.users),
    )


def _of(found: Mapping[str, str], model: Mapping[str, str]) -> dict[str, str]:
    return {name: found[name] for name in model if name in found}


def _print_of(holds: Contents) -> str:
    told = (holds.files, holds.apt, holds.pip, holds.users)
    return key_of(json.dumps([sorted(each.items()) for each in told]))
