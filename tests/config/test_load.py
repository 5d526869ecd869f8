from collections.abc import Callable
from contextlib import suppress
from dataclasses import MISSING
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.config.app import App, Process
from dayfly.config.app_rules import fits
from dayfly.config.environment import Environment
from dayfly.config.load import load_app, load_environment
from dayfly.config.problem import SettingsError, dotted
from dayfly.config.schema import keys_of
from dayfly.config.units import Duration, Size

LEAST = 'app = "orders"\n[process.web]\nrun = "serve"\n'


def app_refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_app(text)
    return caught.value.message


def environment_refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_environment(text)
    return caught.value.message


def test_the_least_that_an_app_says() -> None:
    assert load_app(LEAST) == App(app="orders", process={"web": Process(run="serve")})


def test_an_empty_environment_is_all_defaults() -> None:
    assert load_environment("") == Environment()


def test_units_lists_and_numbers() -> None:
    app = load_app(
        'keep = ["uploads"]\n' + LEAST + 'memory = "256MB"\ncpus = 2\n[release]\nwarm = 0\n'
        'drain = "1m"\n'
    )

    assert app.keep == ("uploads",)
    assert app.process["web"].memory == Size(256 * 1024**2)
    assert app.process["web"].cpus == 2.0
    assert app.release.warm == Duration(0)
    assert app.release.drain == Duration(60)


SHAPES = [
    ("", "dayfly.toml: app: missing; allowed is a text"),
    ("app = 5", "dayfly.toml:1: app: found 5, allowed is a text"),
    (LEAST + "machines = true", "4: process.web.machines: found true, allowed is a whole number"),
    (LEAST + "machines = 2.0", "found 2.0, allowed is a whole number"),
    (LEAST + 'machines = "two"', 'found "two", allowed is a whole number'),
    (LEAST + 'cpus = "1"', 'found "1", allowed is a number'),
    (LEAST + "memory = 256", "found 256, allowed is a size"),
    (LEAST + 'memory = "256mb"', 'found "256mb", allowed is a size such as'),
    (LEAST + "[release]\nwatch = 30", "found 30, allowed is a duration"),
    (LEAST + '[release]\nwatch = "soon"', 'found "soon", allowed is a duration'),
    (LEAST + "[test]\ndatabase = 1", "test.database: found 1, allowed is true or false"),
    (LEAST + "[test]\ndatabase = true", "dayfly.toml:4: test.run: missing"),
    ('secrets = "A"\n' + LEAST, 'secrets: found "A", allowed is a list of texts'),
    ("secrets = [\n'A',\n5]\n" + LEAST, "dayfly.toml:1: secrets[1]: found 5, allowed is a text"),
    ("env = { A = 1 }\n" + LEAST, "env.A: found 1, allowed is a text"),
    ('process = "x"\napp = "x"', 'process: found "x", allowed is a table'),
    ('app = "x"\n[process]\nweb = "run"', 'process.web: found "run", allowed is a table'),
    ('app = "x"\n[[process]]\nrun = "x"', "process: found a list, allowed is a table"),
    ("app = 2026-11-23\n" + LEAST[15:], "found"),
    (LEAST + 'memroy = "1MB"', "process.web.memroy: no such key; did you mean `memory`?"),
    (LEAST + "[process.web.heatlh]", "4: process.web.heatlh: no such key"),
    (LEAST + '"odd key" = 1', 'process.web."odd key": no such key'),
    (LEAST + 'smoke = "x"', "process.web.smoke: belongs into [release]"),
    (LEAST + "xyz = 1", "allowed in [process.web] are run, machines,"),
    ('runtime = "docker"\n' + LEAST, "1: runtime: belongs into environment.toml (the operator's"),
    (LEAST + "[balancer]\nhttp = 1", "balancer: belongs into environment.toml"),
    ('http = "x:1"\n' + LEAST, "http: belongs into [balancer] of environment.toml"),
    ('app = "a\\u0000b"\n' + LEAST[15:], "NUL"),
]


@pytest.mark.parametrize(("text", "says"), SHAPES)
def test_a_shape_that_is_refused(text: str, says: str) -> None:
    assert says in app_refused(text)


RULES = [
    ('app = "Orders"\n[process.web]\nrun = "x"', 'app: found the name "Orders"'),
    ('app = "Orders!"\n[process.web]\nrun = "x"', "a letter first, 31 characters at most"),
    ('app = "x"', "process: missing; an app has at least one"),
    (LEAST + "machines = 0", "found 0, allowed are 1 to 100"),
    (LEAST + "machines = 101", "found 101, allowed are 1 to 100"),
    (LEAST + "cpus = 0", "cpus: found 0.0, allowed is more than 0"),
    (LEAST + "cpus = nan", "cpus: found nan"),
    (LEAST + 'memory = "0MB"', "memory: found 0B, allowed is more"),
    (LEAST + '[process.Worker]\nrun = "x"', "process.Worker: found the name"),
    (LEAST + '[process.worker]\nrun = " "', "process.worker.run: is empty"),
    (LEAST + '[process.worker]\nrun = "x"\nhealth = { path = "/h" }', "only `web` answers"),
    (LEAST + '[process.web.health]\npath = "healthz"', "allowed is a path"),
    (LEAST + '[process.web.health]\npath = "/a b"', "%20"),
    (LEAST + "[process.web.health]\npasses = 0", "passes: found 0, allowed are 1 to 100"),
    (LEAST + '[process.web.health]\ninterval = "0s"', "interval: found 0s"),
    (LEAST + '[build]\nsteps = ["x"]\ndockerfile = "Dockerfile"', "there are `steps` too"),
    (LEAST + '[build]\nbase = "debian"', "base: is what `steps` start from"),
    (LEAST + '[build]\ndockerfile = "../Dockerfile"', "inside the app's own folder"),
    (LEAST + '[build]\nsteps = ["x", ""]', "build.steps[1]: is empty"),
    ('secrets = ["lower"]\n' + LEAST, 'secrets[0]: found the name "lower"'),
    ('secrets = ["PORT"]\n' + LEAST, "PORT is set by Dayfly itself"),
    ('secrets = ["DAYFLY_X"]\n' + LEAST, "DAYFLY_X is set by Dayfly itself"),
    ('secrets = ["A", "A"]\n' + LEAST, "A is named twice"),
    ('secrets = ["A"]\nenv = { A = "1" }\n' + LEAST, "env.A: is a secret too"),
    ('env = { "A-B" = "1" }\n' + LEAST, 'found the name "A-B"'),
    (LEAST + '[job.web]\nrun = "x"\nschedule = "@daily"', "there is a process web too"),
    (LEAST + '[job.x]\nrun = "x"\nschedule = "at noon"', 'job.x.schedule: found "at noon"'),
    (LEAST + '[job.x]\nrun = "x"\nschedule = "@daily"\ndeadline = "0s"', "found 0s"),
    (LEAST + '[database]\nmigrate = "x"', "database.url: its URL is the secret DATABASE_URL"),
    (
        LEAST + '[database]\nmigrate = "x"\nmigrations = "y"',
        "database.migrations: there is `migrate` too; one of them brings the schema up to date",
    ),
    (
        LEAST + '[database]\nmigrate = "x"\nat_start = true',
        "database.at_start: there is `migrate` too; switch off what the app does when it starts",
    ),
    (
        LEAST + '[database]\nmigrate_url = "OWN_URL"\nat_start = true',
        "database.at_start: the app migrates as its own role; leave `migrate_url` out",
    ),
    (LEAST + '[database]\nmigrations = "../y"', "database.migrations: "),
    (
        'secrets = ["DATABASE_URL"]\n' + LEAST + '[database]\ncontract = ["x"]',
        "database.contract: names migrations, and nothing here runs any",
    ),
    (
        LEAST + '[database]\nmigrations = "x"\ncontract = ["*", "a", "a"]',
        'database.contract[0]: found "*", which is every migration; name those that take away',
    ),
    (
        LEAST + '[database]\nmigrations = "x"\ncontract = ["*", "a", "a"]',
        'database.contract[2]: "a" is named twice',
    ),
    (LEAST + '[database]\nmigrations = "x"\ncontract = ""', "database.contract: "),
    (LEAST + '[database]\nstatements = "/etc/passwd"', "database.statements: found"),
    (LEAST + '[test]\nrun = "x"\ndatabase = true', "test.database: its URL is the secret"),
    ('secrets = ["DATABSE_URL"]\n' + LEAST + "[database]", "did you mean it by DATABSE_URL?"),
    ('keep = ["/srv"]\n' + LEAST, "keep[0]: found"),
    ('keep = ["."]\n' + LEAST, "inside the app's own folder"),
    ('keep = ["a/../../b"]\n' + LEAST, "inside the app's own folder"),
    ('keep = ["~/x"]\n' + LEAST, "~ means nothing here"),
    ('keep = ["a:b"]\n' + LEAST, "has none of"),
    ('keep = ["a*"]\n' + LEAST, "has none of"),
    ('keep = ["a\\nb"]\n' + LEAST, "has none of"),
    ('keep = ["a", "a/b"]\n' + LEAST, 'keep[1]: found "a/b", which overlaps "a" of `keep`'),
    ('keep = ["a"]\nwritable = ["./a/"]\n' + LEAST, "writable[0]: found"),
    ('keep = ["log"]\n' + LEAST + '[logs]\nfiles = ["log/*.log"]', "overlaps"),
    (LEAST + '[release]\nassets = "static"', "release.assets: found"),
    (LEAST + '[files]\nbucket = "My.Files"', 'files.bucket: found the name "My.Files"'),
    (LEAST + '[files]\nbucket = "a-"', "3 to 63 characters"),
    (LEAST + '[files]\ncollect = { "*.csv" = "a/" }', "files in a folder of their own"),
    (LEAST + '[files]\ncollect = { "/app/o/**" = "a/" }', "** is not known here"),
    (LEAST + '[files]\ncollect = { "/srv/*.csv" = "a/" }', "inside the app's own folder"),
    (LEAST + '[files]\ncollect = { "o/*.csv" = "a" }', 'found "a", allowed is "" or a prefix'),
    ('keep = ["o"]\n' + LEAST + '[files]\ncollect = { "o/*" = "" }', "overlaps"),
    (LEAST + '[logs]\nfiles = ["o/*.log"]\n[files]\ncollect = { "o/*" = "" }', "overlaps"),
    (LEAST + '[build]\noutputs = { "*.whl" = "b/" }', "files in a folder of their own"),
    (LEAST + '[build]\noutputs = { "/srv/*.whl" = "b/" }', "inside the app's own folder"),
    (LEAST + '[build]\noutputs = { "dist/../*.whl" = "b/" }', "inside the app's own folder"),
    (LEAST + '[build]\noutputs = { "dist/*.whl" = "/b/" }', 'build.outputs."dist/*.whl": found'),
    (LEAST + '[test]\nrun = "x"\noutputs = { "r/**" = "t/" }', "** is not known here"),
    (LEAST + '[test]\nrun = "x"\noutputs = { "r/*.xml" = "t" }', 'allowed is "" or a prefix'),
    ('keep = ["r"]\n' + LEAST + '[test]\nrun = "x"\noutputs = { "r/*" = "" }', "overlaps"),
    (
        LEAST + '[test]\nrun = "x"\noutputs = { "r/*" = "" }\n[files]\ncollect = { "r/*" = "" }',
        "overlaps",
    ),
    ('keep = ["m"]\n' + LEAST + '[files]\nmount = { "/app/m" = "m/" }', "overlaps"),
    (LEAST + '[files]\nmount = { "m" = "m/", "m/n" = "n/" }', "overlaps"),
    (LEAST + '[files]\nmount = { "m" = "m/" }\ncollect = { "m/*" = "n/" }', "overlaps"),
    (LEAST + '[files]\nmount = { "/srv/m" = "m/" }', "inside the app's own folder"),
    (LEAST + '[files]\nmount = { "m" = "/m/" }', 'allowed is "" or a prefix'),
    (
        LEAST + '[files]\nmount = { "a" = "m/", "b" = "m/" }',
        'files.mount.b: found the prefix "m/", and "m/" is that of the mount "a"',
    ),
    (LEAST + '[files]\nmount = { "a" = "m/", "b" = "m/n/" }', "is that of the mount"),
    (LEAST + '[files]\nmount = { "a" = "" }\ncollect = { "o/*" = "n/" }', "which deletes there"),
    (
        '[build]\noutputs = { "o/*" = "m/o/" }\n' + LEAST + '[files]\nmount = { "a" = "m/" }',
        'build.outputs."o/*": found the prefix "m/o/"',
    ),
    (LEAST + '[files]\nstore = "/mnt"', "files.store: belongs into environment.toml"),
]


@pytest.mark.parametrize(("text", "says"), RULES)
def test_a_combination_that_is_refused(text: str, says: str) -> None:
    assert says in app_refused(text)


@pytest.mark.parametrize(
    "text",
    [
        'writable = ["log"]\n' + LEAST + '[logs]\nfiles = ["log/*.log", "log/a?.txt"]',
        'secrets = ["DB"]\n' + LEAST + '[test]\nrun="x"\ndatabase=true\n[database]\nurl = "DB"',
        'app = "x"\n[process.worker]\nrun = "x"',
        'keep = ["a", "ab"]\n' + LEAST,
        'env = { EMPTY = "" }\n' + LEAST,
        'writable = ["o"]\n' + LEAST + '[files]\ncollect = { "/app/o/a/*" = "", "o/b/*" = "" }',
        LEAST + '[files]\nmount = { "a" = "m/", "b" = "mm/" }\ncollect = { "o/*" = "n/" }',
        LEAST + '[build]\noutputs = { "o/*" = "n/" }\n[files]\ncollect = { "o/*" = "n/" }',
        'keep = ["o"]\n' + LEAST + '[build]\noutputs = { "/app/o/*" = "" }',
        'writable = ["o"]\n'
        + LEAST
        + '[test]\nrun="x"\noutputs = { "o/*.xml" = "", "o/*" = "t/" }',
    ],
)
def test_a_combination_that_is_allowed(text: str) -> None:
    load_app(text)


@pytest.mark.parametrize(
    ("app", "bucket"), [("orders", "orders"), ("ab", "ab-files"), ("shop-", "shop--files")]
)
def test_a_bucket_is_called_as_its_app(app: str, bucket: str) -> None:
    assert load_app(LEAST.replace("orders", app)).bucket == bucket
    assert load_app(LEAST + '[files]\nbucket = "exports"').bucket == "exports"


NEW_ERRORS = [
    ("new_errors = -1", "release.new_errors: found -1, allowed is 0 or more"),
    ("new_errors = true", "release.new_errors: found true, allowed is a whole number"),
    ("new_errors = 1\nwatch = 0", "new_errors: is looked at during `watch`, which is 0"),
]


def test_dayfly_itself_is_no_app() -> None:
    says = "app: dayfly is Dayfly's own name; choose another"

    assert says in app_refused(LEAST.replace("orders", "dayfly"))


@pytest.mark.parametrize(("text", "says"), NEW_ERRORS)
def test_how_many_new_errors_are_a_breach(text: str, says: str) -> None:
    assert says in app_refused(f"{LEAST}[release]\n{text}\n")
    assert load_app(f"{LEAST}[release]\nnew_errors = 3\n").release.new_errors == 3


BRIDGED = "runtime = 'docker'\ndocker.network = 'bridge'\n"
ENVIRONMENTS = [
    ('runtime = "podman"', 'runtime: found "podman", allowed is "process" or "docker"'),
    ('name = "My Shop"', "name: found the name"),
    ('time_zone = "Europe/Wien"', 'time_zone: found "Europe/Wien"'),
    ('scratch_url = "mysql://u:hidden@h/d"', "scratch_url: allowed is a URL such as"),
    ('scratch_url = "postgresql://u@h"', "scratch_url: allowed is a URL such as"),
    ('hosts = ["a", "b"]', "machines run on this host only"),
    ("hosts = []", "machines run on this host only"),
    ('balancer.http = "8080"', 'found "8080", allowed is an address and a port'),
    ('balancer.http = "0.0.0.0:0"', "an address and a port"),
    ('balancer.http = "0.0.0.0:65536"', "an address and a port"),
    ('balancer.http = "a b:80"', "an address and a port"),
    ('balancer.http = "[::g]:80"', "an address and a port"),
    ('balancer.http = "0.0.0.0:8081"', "api.listen: port 8081 is taken by balancer.http"),
    ('[balancer]\nhttps = { listen = "127.0.0.1:8080" }', "balancer.https.listen: port 8080"),
    ("[balancer]\nhttps = {}", "balancer.https.listen: missing"),
    ('[route.Orders]\npath = "/"', "route.Orders: found the name"),
    ('[route.orders]\npath = "x"', "route.orders.path: found"),
    ('[route.orders]\nhosts = ["UPPER.example"]', "route.orders.hosts[0]: found"),
    ('[route.a]\nhosts=["x.y"]\n[route.b]\nhosts=["x.y"]', "3: route.b: x.y/ is a's already"),
    ("[route.a]\n[route.b]", "route.b: every host/ is a's already"),
    ("retention.releases = 0", "retention.releases: found 0"),
    ('retention.events = "0s"', "retention.events: found 0"),
    ("keep = []", "keep: belongs into dayfly.toml (the application's"),
    ('[process.web]\nrun = "x"', "process: belongs into dayfly.toml"),
    ('[retention]\nwarm = "1m"', "belongs into [release] of dayfly.toml"),
    ('[files]\nstore = "s3://x"', 'files.store: found "s3://x", allowed are "archive", which lies'),
    ('[files]\nstore = "s3://My-Files"', "files.store: found"),
    ('files.host = "Files.example"', "files.host: found"),
    ('files.host = "a.example"\nroute.shop.hosts = ["b.a.example"]', "a.example is shop's already"),
    ('files.host = "a.example"\nfiles.store = "s3://abc"', "files.host: s3://abc has its own"),
    ('[files.watch.x]\nurl = "intake"\nbucket = "abc"', "files.watch.x.url: allowed is a URL"),
    ('[files.watch.x]\nurl = "http://a/"\nbucket = "A"', "files.watch.x.bucket: found"),
    ('[files]\nstore = "s3://abc"\ns3.endpoint = "s3.eu"', "files.s3.endpoint: found"),
    ('[files]\nstore = "s3://abc"\ns3.access_key_id = "a-b"', "files.s3.access_key_id: found"),
    ('[files]\nstore = "files"', "files.store: found"),
    ('[files]\nstore = "/mnt/../etc"', "files.store: found"),
    ("[files]\nworkers = 0", "files.workers: found 0, allowed are 1 to 64"),
    ('[files]\nlisten = "127.0.0.1:8080"', "files.listen: port 8080 is taken by balancer.http"),
    (f"{BRIDGED}[files]\nlisten = '127.0.0.1:9000'", "own don't reach; leave it out"),
    ('[files]\nbucket = "x"', "files.bucket: belongs into dayfly.toml"),
]


@pytest.mark.parametrize(("text", "says"), ENVIRONMENTS)
def test_an_environment_that_is_refused(text: str, says: str) -> None:
    assert says in environment_refused(text)


@pytest.mark.parametrize("listen", ["[::]:80", "localhost:1", "10.0.0.1:65535", "web.example:80"])
def test_addresses_to_listen_on(listen: str) -> None:
    assert load_environment(f'balancer.http = "{listen}"').balancer.http == listen


def test_routes_that_live_together() -> None:
    load_environment(
        '[route.a]\nhosts = ["x.y"]\n[route.b]\nhosts = ["x.y"]\npath = "/b"\n[route.c]\n'
    )


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    message = app_refused('runtime = "x"\nkep = ["x"]\napp = 3\n[process.web]\nmachines = "2"\n')

    assert [line.split(":")[1] for line in message.splitlines()] == ["1", "2", "3", "4", "5"]


MIXED = [
    (
        'kep = ["x"]\n' + LEAST + '[job.x]\nrun = "x"\nschedule = "at noon"',
        ["kep", "job.x.schedule"],
    ),
    (LEAST + "machines = 0\nmemory = 256", ["process.web.machines", "process.web.memory"]),
    ("app = 3\n[process.web]\nmachines = 0", ["app", "process.web.run", "process.web.machines"]),
    ('app = "x"\n[process]\nweb = 3\n[build]\nbase = "debian"', ["process.web", "build.base"]),
    ('app = "X"\n[proces.web]\nrun = "x"', ["app", "proces"]),
    ("secrets = [5]\n" + LEAST + '[database]\nmigrate = "x"', ["secrets[0]"]),
    (LEAST + '[build]\nstep = ["x"]\nbase = "debian"', ["build.step"]),
    (LEAST + "[test]\ndatabase = true\nrun = 1", ["test.database", "test.run"]),
]


@pytest.mark.parametrize(("text", "keys"), MIXED)
def test_what_breaks_a_rule_is_told_beside_what_could_not_be_read(
    text: str, keys: list[str]
) -> None:
    """But not what would be no problem if the rest were right."""
    with pytest.raises(SettingsError) as caught:
        load_app(text)

    assert {dotted(problem.path) for problem in caught.value.problems} == set(keys)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('nam = "x"\n[balancer]\nhttp = "0.0.0.0:8081"', ["nam", "api.listen"]),
        ('[balancer]\nhttp = 5\n[api]\nlisten = "127.0.0.1:8080"', ["balancer.http"]),
        (
            'time_zone = "Mars"\n[balancer.https]\nlisten = 1',
            ["time_zone", "balancer.https.listen"],
        ),
    ],
)
def test_an_environment_tells_both_kinds_of_problems_too(text: str, keys: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_environment(text)

    assert {dotted(problem.path) for problem in caught.value.problems} == set(keys)


def test_what_is_required_is_a_text() -> None:
    """The reader puts an empty one in its place, so that the rules see the rest."""
    keys = [*keys_of(App), *keys_of(Environment)]

    assert {key.kind for key in keys if key.default is MISSING} == {str}


def test_a_flood_of_problems_is_cut_short() -> None:
    message = app_refused("".join(f"k{n} = 1\n" for n in range(50)) + LEAST)

    assert len(message.splitlines()) == 21
    assert message.endswith("and 30 more")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("app =\n", "dayfly.toml:1:6: "),
        ('app = "x"\napp = "y"\n', "dayfly.toml:2:10: "),
        ("[process.web\n", "dayfly.toml:1:13: "),
        ("app = " + "[" * 5000, "dayfly.toml: "),
        ("app = " + "1" * 5000, "dayfly.toml: "),
        ("#" * 70_000, "dayfly.toml: larger than"),
    ],
)
def test_what_is_no_toml_is_told_with_its_place(text: str, place: str) -> None:
    assert app_refused(text).startswith(place)


@pytest.mark.parametrize(
    ("load", "file", "page"),
    [
        (load_app, "dayfly.toml of 82a426c5", "docs/reference/dayfly.toml.md"),
        (load_environment, "/srv/home/environment.toml", "docs/reference/environment.toml.md"),
    ],
)
def test_a_hint_names_the_page_that_describes_every_key(
    load: Callable[..., object], file: str, page: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load("x = 1", file=file)

    assert caught.value.hint.startswith(f"{page} of Dayfly ")
    assert (Path(__file__).parents[2] / page).exists()


@pytest.mark.parametrize(
    ("build", "runtime", "problems"),
    [
        ("", "process", 0),
        ('[build]\nsteps = ["x"]', "process", 0),
        ('[build]\ndockerfile = "Dockerfile"', "process", 1),
        ('[build]\ndockerfile = "Dockerfile"', "docker", 0),
        ('[build]\nsteps = ["x"]\nbase = "debian"', "process", 1),
    ],
)
def test_whether_an_app_fits_an_environment(build: str, runtime: str, problems: int) -> None:
    environment = load_environment(f'runtime = "{runtime}"')

    assert len(fits(load_app(LEAST + build), environment)) == problems


TOML = some.recursive(
    some.sampled_from(["1", "true", '"x"', "0.5", "1979-05-27", '"30s"', "nan", '""']),
    lambda inner: (
        some.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
        | some.lists(inner, max_size=2).map(
            lambda parts: "{" + ", ".join(f"k{n} = {part}" for n, part in enumerate(parts)) + "}"
        )
    ),
    max_leaves=5,
)
KEYS = some.sampled_from(
    ["app", "secrets", "env", "env.A", "keep", "build", "build.steps", "process", "process.web",
     "process.web.run", "process.web.machines", "job.x.schedule", "release.warm", "runtime",
     "route", "route.a.hosts", "balancer.https", "hosts", "name", '"a.b"', "x"]
)  # fmt: skip


@given(some.dictionaries(KEYS, TOML, max_size=5))
def test_any_toml_is_read_or_refused(settings: dict[str, str]) -> None:
    """Whatever the file holds, the answer is a value or an error for a person."""
    text = "\n".join(f"{key} = {value}" for key, value in settings.items())
    for load in (load_app, load_environment):
        with suppress(SettingsError):
            load(text)
