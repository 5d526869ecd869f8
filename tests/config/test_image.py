"""[image] of dayfly.toml: what it may say, and where it can't be had."""

import pytest

from dayfly.config.app_rules import fits
from dayfly.config.environment import Environment
from dayfly.config.image import Provision
from dayfly.config.load import load_app
from dayfly.config.problem import SettingsError

LEAST = 'app = "orders"\n[process.web]\nrun = "serve"\n'
WHOLE = (
    LEAST
    + """\
[image]
base = "trixie"
provision = [
  { packages = ["nginx", "libpq5=15.8-0+deb12u1"] },
  { files = { "ops/motd" = "/etc/motd" } },
]
"""
)


def provision(step: str) -> str:
    return f"{LEAST}[[image.provision]]\n{step}\n"


def test_the_steps_of_an_image_keep_their_order() -> None:
    image = load_app(WHOLE).image
    assert image.base == "trixie"
    assert image.provision == (
        Provision(packages=("nginx", "libpq5=15.8-0+deb12u1")),
        Provision(files={"ops/motd": "/etc/motd"}),
    )
    assert [step.about for step in image.provision] == [
        "packages nginx libpq5=15.8-0+deb12u1",
        "files ops/motd",
    ]


def test_the_secrets_of_a_build_are_named_once() -> None:
    step = 'ansible = "ops/site.yml"\nvault = "VAULT"\nsecrets = ["TOKEN", "VAULT"]'
    assert load_app(provision(step)).image.told == ("TOKEN", "VAULT")


REFUSED = [
    (provision(""), "4: image.provision[0]: found none; a step has exactly one of packages, files"),
    (provision('shell = "x"\npuppet = "m"'), "provision[0]: found shell and puppet; a step has"),
    (provision('shell = "x"\n[[image.provision]]'), "6: image.provision[1]: found none"),
    (provision('salt = "states"'), "5: image.provision[0].salt: no such key; allowed"),
    (provision('chef = "/etc"'), 'provision[0].chef: found "/etc", allowed is a path inside'),
    (provision('shell = "x"\nrecipes = ["web"]'), "recipes: is for chef, this is shell"),
    (provision('chef = "c"\nrecipes = ["a b"]'), 'recipes[0]: found "a b", allowed is a cookbook'),
    (provision('packages = ["a b"]'), 'packages[0]: found "a b", allowed is a package of Debian'),
    (provision('packages = ["--x"]'), 'found "--x", allowed is a package'),
    (provision('files = { "../x" = "/etc/x" }'), 'found "../x", allowed is a path inside'),
    (provision('files = { x = "etc/x" }'), 'files.x: found "etc/x", allowed is a path below /'),
    (provision('files = { x = "/run/x" }'), "an image keeps nothing below /dev"),
    (provision('ansible = "/srv/site.yml"'), "allowed is a path inside the app's own folder"),
    (provision('ansible = "ops"'), 'found "ops", allowed is a playbook'),
    (provision('shell = "x"\nvault = "V"'), "vault: is for ansible, this is shell"),
    (provision('shell = "x"\nsecond_run = false'), "second_run: is for ansible and puppet"),
    (provision('ansible = "s.yml"\ngroups = ["a-b"]'), 'groups[0]: found "a-b", allowed'),
    (provision('ansible = "s.yml"\nvault = "v"'), 'vault: found the name "v", allowed are A to Z'),
    ('secrets = ["V"]\n' + provision('ansible = "s.yml"\nvault = "V"'), "V is in `secrets` of the"),
    (WHOLE + '[build]\nsteps = ["x"]\nbase = "python:3"', "there is [build] base too; keep one"),
    (WHOLE + '[build]\ndockerfile = "Dockerfile"', "image: there is [build] dockerfile, which"),
    (LEAST + '[image]\ntools = ["gcc"]', "image.tools: are for `steps` of [build], and there"),
    (LEAST + '[image]\nbase = "../base.tar"', 'image.base: found "../base.tar", allowed'),
    (LEAST + '[image]\nlock = "/etc/lock"', "image.lock: found"),
    (LEAST + "[image]\nprovision = ['x']", 'provision[0]: found "x", allowed is a table'),
    (LEAST + "[image]\nprovision = 'x'", 'provision: found "x", allowed is a list of tables'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_an_image_that_is_refused(text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_app(text)
    assert says in caught.value.message


def test_processes_of_the_host_can_have_no_image_of_their_own() -> None:
    app = load_app(WHOLE)
    assert fits(app, Environment(name="production", runtime="docker")) == []
    told = [str(problem) for problem in fits(app, Environment(name="production"))]
    assert [line.partition(":")[0] for line in told] == [
        "image.base",
        "image.provision[0].packages",
        "image.provision[1].files",
    ]
    assert "production runs processes, which have no root file system of their own" in told[1]
