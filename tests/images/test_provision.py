"""Images that are made from a base by declared steps, among them Ansible, run for real."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.clock import Stop
from dayfly.command import output_of
from dayfly.config.app import App
from dayfly.config.image import ImageRecipe, Provision
from dayfly.config.secrets import SecretError, Secrets
from dayfly.config.units import Duration
from dayfly.errors import StoppedError
from dayfly.images.builder import BuildError
from dayfly.images.container import ContainerBuilder
from workshop import STEPS, Workshop, inside, workshop

pytestmark = pytest.mark.docker

SITE = """\
- hosts: web
  gather_facts: false
  become: true
  roles: [greeting]
  tasks:
    - name: who the worker is
      command: id -un
      become_user: worker
      register: me
      changed_when: false
    - name: a setting
      copy:
        content: "{{ me.stdout }} {{ greeting }} {{ lookup('env', 'TOKEN') }} {{ vaulted }}\\n"
        dest: /srv/orders.conf
        mode: "0644"
"""
ROLE = "- {name: a folder, file: {path: /srv/spool, state: directory, owner: worker}}\n"
MODULE = """\
class greeting(String $word) {
  file { '/srv/greeting': ensure => file, content => "${word}, ${facts['token']}\\n" }
  user { 'worker': ensure => present, system => true }
}
"""
HIERA = """\
version: 5
defaults: {datadir: data, data_hash: yaml_data}
hierarchy: [{name: common, path: common.yaml}]
"""
PASSWORD = "correct horse"
VAULTED = """\
vaulted: !vault |
          $ANSIBLE_VAULT;1.1;AES256
          63623134333036633138353166396136656363393831303835653962353966346635636330333033
          6261383964316465393033363962303661363032613134360a656365376432303563336339383233
          64626238656334613334643236656663333865396530316339663262316630323061343736353338
          6236393663653732300a396662383363376361373733376431373137616663333639643438613062
          6363
"""  # s3cret, as ansible-vault encrypts it with that password
SECRETS = {"TOKEN": "t0ken", "VAULT": PASSWORD}
PLAYBOOK = Provision(ansible="ops/site.yml", groups=("web",), vault="VAULT", secrets=("TOKEN",))
WORKER = Provision(shell="useradd --system worker")
MOTD = Provision(files={"deploy/motd": "/etc/motd"})


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop("docker") as made:
        assert isinstance(made.builder, ContainerBuilder)
        secrets = Secrets(made.home / "secrets")
        secrets.folder.mkdir(mode=0o700)
        for name, value in SECRETS.items():
            secrets.set("orders", name, value)
        made.builder = replace(made.builder, secrets=secrets.wanted)
        made.project.write("deploy/motd", "fresh every day\n")
        made.project.write("ops/site.yml", SITE)
        made.project.write("ops/roles/greeting/tasks/main.yml", ROLE)
        made.project.write("ops/group_vars/web.yml", "greeting: hello\n")
        made.project.write("ops/group_vars/all.yml", VAULTED)
        yield made


def app(shop: Workshop, *steps: Provision, tools: tuple[str, ...] = ()) -> App:
    recipe = ImageRecipe(provision=steps, tools=tools)
    return replace(shop.app(*(STEPS if tools else ())), image=recipe)


def containers() -> str:
    words = ["docker", "ps", "--all", "--format={{.Names}}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def environment_of(shop: Workshop) -> str:
    assert isinstance(shop.builder, ContainerBuilder)
    return shop.builder.environment


def kept(shop: Workshop) -> set[str]:
    """Layers and images of this shop."""
    words = ("docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}")
    mine = f"dayfly-{environment_of(shop)}/"
    return {name for name in output_of(words).split() if name.startswith(mine)}


def lines(shop: Workshop, word: str) -> list[str]:
    return [line for line in shop.lines if line.endswith(word)]


def test_a_playbook_makes_a_layer_and_what_did_not_change_is_not_done_again(
    shop: Workshop,
) -> None:
    image = shop.build(app(shop, WORKER, PLAYBOOK, MOTD))
    assert "changed: greeting : a folder" in shop.lines
    assert inside(image, "cat /srv/orders.conf /etc/motd").splitlines() == [
        "worker hello t0ken s3cret",
        "fresh every day",
    ]
    assert inside(image, "stat -c %U /srv/spool; id -u").split() == ["worker", "10001"]
    assert inside(image, "ls -A /tmp /run/dayfly | grep -v :; env | grep TOKEN || true") == ""
    assert f"dayfly-build-{environment_of(shop)}" not in containers()

    shop.project.write("app.py", "print('two')\n")
    shop.project.write("deploy/motd", "and every night\n")
    image = shop.build(app(shop, WORKER, PLAYBOOK, MOTD))
    assert lines(shop, "is unchanged") == [
        "image step 1 of 3, 'shell useradd --system worker' is unchanged",
        "image step 2 of 3, 'ansible ops/site.yml' is unchanged",
    ]
    assert inside(image, "cat /app/app.py /etc/motd") == "print('two')\nand every night"


def test_the_password_of_a_vault_is_on_no_disk(shop: Workshop) -> None:
    """A server that is killed meanwhile removes nothing: looked at while the playbook runs."""
    shop.project.write("ops/looks.yml", SITE.replace("name: a setting", "name: looked at now"))
    held = list[str]()

    def look(line: str) -> None:
        if line.endswith(": looked at now"):
            places = Path(tempfile.gettempdir()).glob("dayfly-ansible-*")
            grep = ["grep", "-rlsF", PASSWORD, *map(str, places)]
            held.append(subprocess.run(grep, capture_output=True, text=True, check=False).stdout)

    step = replace(PLAYBOOK, ansible="ops/looks.yml")
    replace(shop, on_line=look).build(app(shop, WORKER, step))
    assert set(held) == {""}


def test_a_layer_that_was_not_checked_is_none_that_was(shop: Workshop) -> None:
    play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - shell: echo again >> /srv/count\n"
    shop.project.write("counts/site.yml", play)
    step = Provision(ansible="counts/site.yml", second_run=False)
    shop.build(app(shop, step))
    with pytest.raises(BuildError, match="has a task that is not idempotent"):
        shop.build(app(shop, replace(step, second_run=True)))


BREAKS = """\
- {name: begun, copy: {content: half, dest: /srv/half}}
    - {name: look, shell: echo found nothing >&2; exit 3}
    - {name: end, shell: touch /srv/whole}"""
WRONG = [
    (
        "- {name: count up, shell: echo again >> /srv/count}",
        "has a task that is not idempotent: 'count up' changed something again in the second run",
    ),
    (
        "- {name: wait, pause: {prompt: sure?}}",
        "asks for input: the task 'wait' waits for a person",
    ),
    (
        BREAKS,
        "task 'look' failed: non-zero return code\nfound nothing",
    ),
]


@pytest.mark.parametrize(("task", "says"), WRONG)
def test_a_playbook_that_is_no_recipe_names_its_task(shop: Workshop, task: str, says: str) -> None:
    play = f"- hosts: all\n  gather_facts: false\n  tasks:\n    {task}\n"
    shop.project.write("wrong/site.yml", play)
    before = kept(shop)
    with pytest.raises(BuildError) as failed:
        shop.build(app(shop, Provision(ansible="wrong/site.yml")))
    assert says in f"{failed.value}\n{failed.value.hint}"
    assert_nothing_is_left(shop, before)


def assert_nothing_is_left(shop: Workshop, before: set[str]) -> None:
    assert kept(shop) == before
    assert f"dayfly-build-{environment_of(shop)}" not in containers()
    assert "dayfly-ansible-" not in output_of(["ps", "-e", "-o", "args"]), "a worker goes on"


def test_a_playbook_without_its_secret_or_without_an_end_makes_no_image(shop: Workshop) -> None:
    sleeps = "- hosts: all\n  gather_facts: false\n  tasks: [{name: sleeps, command: sleep 600}]\n"
    shop.project.write("wrong/site.yml", sleeps)
    before, step = kept(shop), Provision(ansible="wrong/site.yml")
    with pytest.raises(SecretError, match="orders: no value for the secret OTHER") as missing:
        shop.build(app(shop, replace(step, secrets=("TOKEN", "OTHER"))))
    assert "dayfly secret set OTHER" in missing.value.hint
    endless = app(shop, step)
    with pytest.raises(BuildError, match="did not end before the deadline of") as late:
        shop.build(replace(endless, build=replace(endless.build, deadline=Duration(12))))
    assert "task: sleeps" not in shop.lines or "at task 'sleeps'" in late.value.message
    assert_nothing_is_left(shop, before)


def test_a_shell_step_ends_when_it_is_told_to_and_leaves_nothing(shop: Workshop) -> None:
    before = kept(shop)
    shop.on_line = lambda line: shop.stop.request("enough") if line == "begun" else None
    with pytest.raises(StoppedError):
        shop.build(app(shop, Provision(shell="echo begun; sleep 600")))
    shop.stop, shop.on_line = Stop(), print
    assert_nothing_is_left(shop, before)


def test_a_play_for_others_is_no_success(shop: Workshop) -> None:
    shop.project.write("wrong/site.yml", "- hosts: database\n  tasks: []\n")
    with pytest.raises(BuildError, match="no play of it is for this image") as failed:
        shop.build(app(shop, Provision(ansible="wrong/site.yml")))
    assert "a group that it is in, which are all" in failed.value.hint


def tools_stay_behind(shop: Workshop) -> None:
    image = shop.build(app(shop, tools=("xxd",)))
    assert any("Setting up xxd" in line for line in shop.lines)
    assert inside(image, "command -v xxd || python -c 'import six; print(six.__name__)'") == "six"
    assert shop.builder.contents(image).pip["six"] == "1.16.0"


def puppet_is_gone_when_it_has_worked(shop: Workshop) -> None:
    shop.project.write("puppet/manifests/site.pp", "include greeting\n")
    shop.project.write("puppet/modules/greeting/manifests/init.pp", MODULE)
    shop.project.write("puppet/hiera.yaml", HIERA)
    shop.project.write("puppet/data/common.yaml", "greeting::word: from hiera\n")
    image = shop.build(app(shop, Provision(puppet="puppet/manifests", secrets=("TOKEN",))))
    assert "second run, which must change nothing" in shop.lines
    assert inside(image, "cat /srv/greeting") == "from hiera, t0ken"
    assert inside(image, "command -v puppet ruby; ls /etc/puppet; ls -A /tmp; true") == ""
    users = shop.builder.contents(image).users
    assert "worker" in users
    assert "puppet" not in users


ORPHAN = "apt-get -qq update; apt-get -qq install -y --no-install-recommends xxd; apt-mark auto xxd"


def puppet_takes_only_its_own_away(shop: Workshop) -> None:
    """Not what the manifests declare, though it came with Puppet, nor what was there before."""
    shop.project.write("keeps/manifests/site.pp", "package { 'ruby': ensure => installed }\n")
    image = shop.build(app(shop, Provision(shell=ORPHAN), Provision(puppet="keeps/manifests")))
    apt = shop.builder.contents(image).apt
    assert {"ruby", "xxd"} <= set(apt)
    assert not {name for name in apt if "puppet" in name}


STAND_IN = """\
echo "${#TOKEN} letters" > /srv/told
cat > /usr/local/bin/cinc-client <<'END'
#!/bin/sh
echo "cinc-client $* TOKEN=$TOKEN" >> /srv/ran
cp /run/dayfly/chef/dayfly.rb /srv
echo '  * file[/srv/greeting] action create (up to date)'
END
chmod +x /usr/local/bin/cinc-client
"""


def chef_is_told_what_to_run(shop: Workshop) -> None:
    """By a program that stands in for it, and records what it was given."""
    shop.project.write("chef/cookbooks/web/recipes/default.rb", "file '/srv/greeting'\n")
    step = Provision(chef="chef/cookbooks", secrets=("TOKEN",))
    with pytest.raises(BuildError, match="the image has no Chef; one of cinc-client, chef-client"):
        shop.build(app(shop, step))
    image = shop.build(app(shop, Provision(shell=STAND_IN, secrets=("TOKEN",)), step))
    assert inside(image, "cat /srv/told") == "5 letters"
    known = output_of(["docker", "image", "inspect", image.reference, *kept(shop)])
    assert "t0ken" not in known, "docker keeps what it is told, a layer must not"
    ran = inside(image, "cat /srv/ran").splitlines()
    assert len(ran) == 2, "and a second time, which changed nothing"
    assert "--local-mode" in ran[0]
    assert ran[0].endswith("--override-runlist recipe[web] TOKEN=t0ken")
    assert "/run/dayfly/chef/chef/cookbooks" in inside(image, "cat /srv/dayfly.rb")


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "story",
    [
        tools_stay_behind,
        puppet_is_gone_when_it_has_worked,
        puppet_takes_only_its_own_away,
        chef_is_told_what_to_run,
    ],
)
def test_how_an_image_is_made(shop: Workshop, story: Callable[[Workshop], None]) -> None:
    story(shop)


def test_a_version_that_is_not_the_locked_one_makes_no_image(shop: Workshop) -> None:
    shop.project.write("image.lock", '[apt]\nzlib1g = "0:0"\n')
    with pytest.raises(BuildError, match=r"zlib1g is locked to 0:0, and 1:\S+ was installed"):
        shop.build(replace(shop.app(), image=ImageRecipe(lock="image.lock")))
    commit = shop.project.git("rev-parse", "HEAD").strip()
    assert shop.builder.find("orders", commit) is None


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (ImageRecipe(base="nobody.invalid/base:1"), "the base nobody.invalid/base:1 can't be had"),
        (
            ImageRecipe(provision=(Provision(shell="echo bad; exit 7"),)),
            "image step 1 of 1, 'shell echo bad; exit 7' failed: exit status 7",
        ),
    ],
)
def test_an_image_that_can_not_be_made_says_why(
    shop: Workshop, recipe: ImageRecipe, says: str
) -> None:
    with pytest.raises(BuildError) as failed:
        shop.build(replace(shop.app(), image=recipe))
    assert says in str(failed.value)


def test_a_change_of_code_repeats_no_step_above_the_layers(shop: Workshop) -> None:
    made = replace(shop.app(*STEPS), image=ImageRecipe(provision=(Provision(shell="true"),)))
    for line in ("print(1)\n", "print(2)\n"):
        shop.project.write("app.py", line)
        image = shop.build(made)
    assert "build step 1 of 1 is unchanged: pip install -r requirements.txt" in shop.lines
    assert shop.builder.configuration(image).keys() == {"user", "folder", "PATH", "VIRTUAL_ENV"}
