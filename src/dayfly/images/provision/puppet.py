"""Puppet, run for real in the container that becomes a layer of an image, and gone from it then."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dayfly.config.image import Provision
from dayfly.images.builder import OnLine
from dayfly.images.provision.idempotent import applied
from dayfly.images.provision.scaffold import INSIDE, Scaffold

_STATE = "/tmp/puppet"  # noqa: S108 - of the container, in memory
_INSTALLED = (
    "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' | sed -n 's/^installed //p' | sort -u"
)
_INSTALL = f"""\
command -v puppet >/dev/null && exit 0
mkdir -p {_STATE}
cp /etc/passwd {_STATE}/passwd
{_INSTALLED} > {_STATE}/before
apt-get -qq update
apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 puppet-agent ||
  apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 puppet
"""
# Puppet is marked as if it had come with something else, and goes with what it brought; not what
# was there before, and not what the manifests declare (by title: all that a summary has of a
# resource), though it came with Puppet.
_REMOVE = f"""\
[ -e {_STATE}/passwd ] || exit 0
apt-mark -qq auto puppet-agent puppet >/dev/null 2>&1 || true
cd {_STATE}
sed -n 's/^package\\[\\(.*\\)\\]$/\\1/p' var/state/resources.txt | sort -u > declared
{_INSTALLED} | comm -12 - declared | xargs -r apt-mark -qq manual >/dev/null
apt-get -s autoremove | sed -n 's/^Remv \\([^ ]*\\) .*/\\1/p' | sort -u |
  comm -23 - before | xargs -r apt-get -qq purge -y -o Dpkg::Use-Pty=0 >/dev/null
command -v puppet >/dev/null && exit 0
grep -q '^puppet:' {_STATE}/passwd || {{
  # dpkg refuses to work where an override, which purging leaves, names somebody who is gone.
  dpkg-statoverride --list | while read -r user group mode path; do
    [ "$user:$group" = puppet:puppet ] && dpkg-statoverride --remove "$path"
  done
  userdel puppet; groupdel puppet
}} 2>/dev/null || true
rm -rf /etc/puppet /var/lib/puppet /var/cache/puppet /var/log/puppet
"""


@dataclass
class Applied:
    """What one run tells: resources that changed, and what went wrong."""

    on_line: OnLine
    changed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def line(self, line: str) -> None:
        kind, _, says = line.partition(": ")
        if kind == "Notice" and says.startswith("/Stage["):
            self.changed.append(says.partition(": ")[0].rpartition("/")[0])
        elif kind == "Error":
            self.errors.append(says)
        if line.strip():
            self.on_line(line)


def apply(
    step: Provision, source: Path, scaffold: Scaffold, title: str, secrets: Mapping[str, str]
) -> None:
    """Apply the manifests of `source`, and once more, when nothing must be left to change."""
    shutil.copytree(source, scaffold.told / "puppet", symlinks=True)
    scaffold.run(_INSTALL, title=f"{title}: installing Puppet")
    command = command_of(step, source)
    facts = {f"FACTER_{name.lower()}": value for name, value in secrets.items()}
    applied(scaffold, command, title, {**secrets, **facts}, Applied, twice=step.second_run)
    scaffold.run(_REMOVE, title=f"{title}: removing Puppet")


def command_of(step: Provision, source: Path) -> str:
    """Exit status 0 when all is as it should be now, changed or not."""
    path = PurePosixPath(step.puppet or "")
    inside = PurePosixPath(INSIDE, "puppet")
    words = [
        "puppet apply --detailed-exitcodes --write-catalog-summary --color=false --logdest=console",
        f"--vardir={_STATE}/var --rundir={_STATE}/run --logdir={_STATE}/log",
        f"--modulepath={inside / path.parent / 'modules'}:{inside / path.parent / 'site-modules'}",
    ]
    if (source / path.parent / "hiera.yaml").is_file():
        words.append(f"--hiera_config={inside / path.parent / 'hiera.yaml'}")
    apply = " ".join([*words, str(inside / path)])
    return f"set +e\n{apply}\nstatus=$?\n[ $status = 2 ] || exit $status"
