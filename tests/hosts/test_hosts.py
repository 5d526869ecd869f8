"""A bare Debian becomes a host, serves, restarts and is bare again; a real sshd answers for it."""

import socket
from collections.abc import Iterator

import pytest

from bare import Bare, bare
from dayfly.clock import wait_until
from workshop import need_docker, open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.docker,
    pytest.mark.sampled(1, of="file"),
    pytest.mark.timeout(900),  # a host's packages, on a busy machine
]

PACKAGES = "packages: Docker Engine, HAProxy"
OTHER = "ID=ubuntu\nPRETTY_NAME=Ubuntu\nVERSION_ID=24.04\n"
SPOILED = [
    (
        f"mv /etc/os-release /etc/away; printf '{OTHER}' > /etc/os-release",
        "mv /etc/away /etc/os-release",
        "it runs Ubuntu, and a host is made of Debian 12 or 13",
    ),
    (
        "mount -t tmpfs -o size=64m tmpfs /var",
        "umount /var",
        "/var has 0.1 GB free, and 3 GB are needed",
    ),
]
OWN_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPEX/cu9wEZJSzfGhAmFsHneSHKP6Dj05RGFCKax5p6Y own"
BEFORE = f"""\
apt-get -qq purge -y 'python3*' >/dev/null
apt-get -qq autoremove -y --purge >/dev/null
useradd --create-home --home-dir /srv/eve --shell /usr/sbin/nologin eve
useradd --create-home --shell /bin/sh kim
mkdir -m 700 /home/kim/.ssh
echo '{OWN_KEY}' > /home/kim/.ssh/authorized_keys
chown -R kim: /home/kim/.ssh
"""
PEOPLE = """\
for name in deploy eve kim; do
  id $name; getent passwd $name
  home=$(getent passwd $name | cut -d : -f 6)
  find $home -path '*/.ansible' -prune -o -printf '%p %M %u %g\\n' | sort
  cat $home/.ssh/authorized_keys || true
done 2>&1
ls /etc/sudoers.d
"""
APP = """\
set -e
mkdir /root/hello && cd /root/hello
cat > dayfly.toml <<'END'
app = "hello"
[process.web]
run = "python3 -m http.server $PORT --bind 127.0.0.1"
health = { interval = "100ms" }
[release]
watch = "1s"
END
git init -q && git add . && git -c user.name=a -c user.email=a@b commit -qm one
dayfly release
"""


@pytest.fixture(params=["bookworm", "trixie"])
def host(request: pytest.FixtureRequest) -> Iterator[Bare]:
    need_docker()
    with open_folder() as folder, bare(folder, request.param) as made:
        yield made


def assert_says(host: Bare, words: list[str], status: int, *says: str) -> None:
    ran = host.type(*words)
    assert ran.status == status, ran.said
    for each in says:
        assert each in ran.said, ran.said


def reaches(host: Bare, port: int) -> bool:
    """Whether the firewall lets in; nothing listens there."""
    try:
        socket.create_connection((host.address, port), timeout=2).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        return False
    return True


def cut_off(host: Bare, who: str) -> None:
    """The connection is lost while packages are installed."""
    said = []
    with host.typing("add", who, "--fingerprint", host.fingerprint()) as typed:
        assert typed.stdout
        for line in typed.stdout:
            said.append(line)
            if line.startswith(f"task: {PACKAGES}"):
                wait_until(
                    lambda: "apt-get" in host.inside("ps -e -o comm"), seconds=30, what="apt-get"
                )
                host.inside("pkill -f '[s]shd.*: deploy'")
        assert typed.wait() == 1, said
    assert "Type the same again" in "".join(said), said


def test_nothing_is_done_to_a_host_that_is_not_known_or_only_looked_at(host: Bare) -> None:
    who, fingerprint, before = f"deploy@{host.address}", host.fingerprint(), host.packages()

    host.known_hosts.unlink(missing_ok=True)
    assert_says(host, ["add", who], 1, "is not known here", f"--fingerprint {fingerprint}")
    assert_says(host, ["add", who, "--fingerprint", "SHA256:other"], 1, "has no key SHA256:other")
    known = ["add", f"guest@{host.address}", "--fingerprint", fingerprint]
    assert_says(host, known, 1, "guest can't become root there without a password")
    assert_says(host, ["add", f"nobody@{host.address}"], 1, "does not let nobody in")
    assert_says(host, ["add", f"{who}:9", "--check"], 1, "can't be reached", "refused")
    for spoils, restores, says in SPOILED:
        host.inside(spoils)
        assert_says(host, ["add", who], 1, says)
        host.inside(restores)
    host.inside("mv /usr/bin/python3 /usr/bin/python3.away")
    assert_says(host, ["add", who, "--check"], 1, "would change: package: python3")
    host.inside("mv /usr/bin/python3.away /usr/bin/python3")

    assert_says(host, ["add", who, "--check"], 1, f"would change: {PACKAGES}")
    assert host.packages() == before
    assert host.inside("ls /opt /usr/local/bin") == "/opt:\n\n/usr/local/bin:\n"
    assert_says(host, ["remove", who], 0, "nothing changed")

    host.inside("rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh")
    wait_until(lambda: host.offers(host.fingerprint()), seconds=10, what="the other key")
    assert_says(host, ["add", who], 1, "shows another key than the one that is known")
    host.known_hosts.unlink()


def test_a_bare_debian_becomes_a_host_and_is_bare_again(host: Bare) -> None:
    who, settings = f"deploy@{host.address}", host.folder / "environment.toml"
    settings.write_text('name = "far"\n')
    host.inside(BEFORE)
    before, people = host.packages(), host.inside(PEOPLE)
    assert "python3" not in before

    cut_off(host, who)
    named = {"ana": "key", "eve": "key", "kim": "key", "deploy": "other"}
    person = [f"--person={name}={host.folder}/{key}.pub" for name, key in named.items()]
    more = ["--settings", str(settings), *person, "--open", "81"]
    assert_says(host, ["add", who, *more], 0, "changed: Dayfly itself")
    for name in named:  # deploy by the key that was there before
        assert host.become_root(name) == "root"
    assert OWN_KEY in host.inside("cat /home/kim/.ssh/authorized_keys")
    assert_says(host, ["add", f"ana@{host.address}", *more], 0, "nothing changed")
    assert [reaches(host, port) for port in (80, 81, 82)] == [True, True, False]

    assert host.inside("dayfly --version 2>&1").startswith("dayfly ")
    host.inside(APP)
    assert "guest has no environment on" in host.log_in("guest").said
    assert "far is known" in host.log_in("deploy").said
    assert "hello" in host.far("status").said
    assert_says(host, ["reboot", who], 1, "its machines can run on no other host")
    assert_says(host, ["remove", who], 1, "has an environment with its data")
    assert_says(host, ["reboot", who, "--downtime"], 0, "is back after", "and serves")
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080').read())"
    assert "dayfly.toml" in host.inside(f'python3 -c "{ask}"')
    assert (reaches(host, 81), reaches(host, 82)) == (True, False), "the firewall, since boot"

    host.inside("dayfly destroy far")
    assert_says(host, ["remove", f"ana@{host.address}"], 1, "ana came to", "goes with it")
    assert_says(host, ["remove", who, "--check"], 1, "would change: packages that came with Dayfly")
    by_add = f"kim@{host.address}"  # who is root only by what goes
    assert_says(host, ["remove", by_add], 0, "changed: files that Dayfly wrote", "package: python3")
    assert host.packages() == before
    assert host.inside(PEOPLE) == people
    gone = "/etc/dayfly /opt/dayfly /usr/local/bin/dayfly /etc/docker /var/lib/dayfly"
    assert host.inside(f"ls -d {gone} 2>/dev/null || true") == ""
    assert "ana:" not in host.inside("cat /etc/passwd; ls /etc/sudoers.d")
