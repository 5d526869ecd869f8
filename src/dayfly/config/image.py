"""[image] of dayfly.toml: the root file system that machines of the docker runtime get."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

ANSIBLE, PUPPET, CHEF = "ansible", "puppet", "chef"
KINDS = ("packages", "files", "shell", ANSIBLE, PUPPET, CHEF)
SUITES = ("bullseye", "bookworm", "trixie", "forky")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst")


@dataclass(frozen=True, kw_only=True)
class Provision:
    """One step, of exactly one of the KINDS; what follows them says how it is done."""

    packages: tuple[str, ...] = ()  # of Debian
    files: dict[str, str] = field(default_factory=dict)  # path of the source → path in the image
    shell: str | None = None
    ansible: str | None = None  # a playbook
    puppet: str | None = None  # a manifest, or a folder of them
    chef: str | None = None  # a folder of cookbooks
    recipes: tuple[str, ...] = ()  # of Chef, in their order; else the default of the only cookbook
    groups: tuple[str, ...] = ()  # of Ansible's inventory, that the image belongs to
    vault: str | None = None  # the secret that holds the password of Ansible's vault
    secrets: tuple[str, ...] = ()  # told to the step as environment variables
    second_run: bool = True  # it must find nothing to change

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in KINDS if getattr(self, kind))

    @property
    def kind(self) -> str:
        return self.kinds[0]

    @property
    def about(self) -> str:
        """The step in a few words, as people are told about it."""
        value = getattr(self, self.kind)
        said = " ".join(value) if isinstance(value, tuple | dict) else str(value)
        return f"{self.kind} {said}"

    @property
    def told(self) -> tuple[str, ...]:
        """Names of all secrets that the step needs."""
        return (*self.secrets, *((self.vault,) if self.vault else ()))


@dataclass(frozen=True, kw_only=True)
class ImageRecipe:
    """What lies below the app: a base, and the steps that make a machine of it."""

    base: str | None = None  # a Debian release, a tarball of the source, an OCI image
    provision: tuple[Provision, ...] = ()
    tools: tuple[str, ...] = ()  # Debian packages that only the build steps see
    lock: str | None = None  # a file of the source: versions to install again

    @property
    def told(self) -> tuple[str, ...]:
        """Names of the secrets that its steps need."""
        return tuple(dict.fromkeys(name for step in self.provision for name in step.told))


def is_archive(base: str) -> bool:
    """Whether a base is a tarball of the source."""
    return PurePosixPath(base).name.endswith(_ARCHIVES)
