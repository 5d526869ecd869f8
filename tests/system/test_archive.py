"""The file archive of an environment, as people, programs and machines use it."""

import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from html import unescape

import boto3
import pytest

import keeping
from dayfly.cli.release import who
from dayfly.clock import wait_until
from production import Production, Project, project, running
from small_image import python_image
from workshop import need_docker, open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]


def test_the_environment_tells_where_its_archive_is(prod: Production) -> None:
    services = json.loads(prod.typed("status", "--json"))["services"]

    assert services["files"] == {"state": "up", "url": f"http://127.0.0.1:{prod.files}"}
    assert "files up" in prod.typed("status")


def test_the_console_shows_the_archive_and_shares_from_it(prod: Production) -> None:
    (prod.folder / "bill.txt").write_text("7,50")
    prod.typed("files", "create", "bills", "--versions")
    prod.typed("files", "put", str(prod.folder / "bill.txt"), "bills/7.txt")
    visitor, place = prod.visitor(), "bucket=bills&key=7.txt"
    assert ">bills</a>" in visitor.get("/files")[1]
    seal = found(r'name="seal" value="([^"]+)"', visitor.get(f"/files/object?{place}")[1])

    shared = visitor.post(f"/files/link?{place}", seal=seal, duration="1h")[1]
    link = found(r"<pre>([^<]+)</pre>", shared)
    assert link.startswith(f"http://127.0.0.1:{prod.files}/bills/7.txt?")
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == b"7,50"

    sure = found(r'action="([^"]+)" method="post"', visitor.get(f"/files/delete?{place}")[1])
    assert visitor.post(sure, seal=seal)[0].status == 303
    gone, _ = json.loads(prod.typed("files", "versions", "bills/7.txt", "--json"))
    assert gone["deleted"]
    assert gone["provenance"] == {"who": who(), "source": "deleted in the console"}


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match, page
    return unescape(match[1])


def test_a_key_of_the_command_line_is_good_for_any_client(prod: Production) -> None:
    key = json.loads(prod.typed("files", "key", "create", "ann", "--json"))
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{prod.files}",
        region_name="us-east-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
    )
    client.create_bucket(Bucket="pictures")
    client.put_object(Bucket="pictures", Key="a/b", Body=b"one")

    prod.kill(prod.archives())
    wait_until(lambda: bool(prod.archives()), seconds=30, what="the archive is started again")
    wait_until(
        lambda: prod.client.get("/api/status")["services"]["files"]["state"] == "up",
        seconds=30,
        what="the archive answers again",
    )

    assert client.get_object(Bucket="pictures", Key="a/b")["Body"].read() == b"one"
    assert (prod.home.path / "archive/data/pictures/a/b").read_bytes() == b"one"
    assert "a/b" in prod.typed("files", "ls", "pictures", "-r")
    assert (prod.home.files / "accounts.json").stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def keeper(prod: Production) -> Project:
    """An application that writes into its bucket when it starts."""
    made = project(prod.folder / "keeper")
    shutil.copy(keeping.CLIENT, made.folder / "s3.py")
    return made


STARTS = 'python3 s3.py put "seen/$DAYFLY_RELEASE.txt" "by $DAYFLY_MACHINE"; exec python3 app.py'


def commit(app: Project, *, more: str = "", starts: str = STARTS) -> str:
    changes = {
        '"exec python3 app.py"': f"'{starts}'",
        "machines = 2": "machines = 1",
        'warm         = "5m"': 'warm         = "1s"',
        'deadline = "6s"': 'deadline = "30s"',  # it speaks to the archive before it listens
    }
    return app.commit(changes=changes, more=more)


def in_machine(prod: Production, *words: str) -> str:
    return prod.typed("run", "--app", "keeper", "--", *words)


def test_what_a_release_wrote_the_next_one_reads_when_its_machines_are_gone(
    prod: Production, keeper: Project
) -> None:
    first = prod.released(keeper, commit(keeper))
    second = prod.released(keeper, commit(keeper))
    wait_until(
        lambda: all(m["release"] != first for m in prod.machines("keeper")),
        seconds=60,
        what="the outgoing machine is retired",
    )

    said = prod.typed(
        "run", "--app", "keeper", "--", "python3", "s3.py", "get", f"seen/{first}.txt"
    )

    assert said == f"by keeper-{first}-web-1\n"
    assert prod.serving("keeper") == second
    tree = prod.home.path / "archive/data/keeper/seen"
    assert (tree / f"{first}.txt").read_text() == f"by keeper-{first}-web-1"
    (row,) = json.loads(prod.typed("files", "versions", f"keeper/seen/{first}.txt", "--json"))
    wrote = {"who": "keeper", "release": str(first), "machine": f"keeper-{first}-web-1"}
    assert (row["owner"], row["provenance"]) == ("keeper", wrote)


def test_the_secret_of_the_key_is_shown_nowhere(prod: Production, keeper: Project) -> None:
    tells = 'echo "leaks $AWS_SECRET_ACCESS_KEY"; exec python3 app.py'
    number = prod.released(keeper, commit(keeper, starts=tells))
    secret = json.loads((prod.home.secrets / "keeper.json").read_text())["DAYFLY_FILES_SECRET"]

    wait_until(
        lambda: "leaks" in prod.typed("logs", f"release:{number} leaks"),
        seconds=60,
        what="the line in the log store",
        poll=0.5,
    )
    shown = prod.typed("logs", f"release:{number} leaks")
    shown += prod.typed("logs", "--release", str(number))
    shown += prod.typed(
        "run", "--app", "keeper", "--", "sh", "-c", "echo leaks $AWS_SECRET_ACCESS_KEY"
    )
    assert secret not in shown
    assert shown.count("leaks ••••") == 3
    assert prod.typed("secret", "ls", "--app", "keeper") == ""
    assert (prod.home.secrets / "keeper.json").stat().st_mode & 0o777 == 0o600
    removed = prod.type("secret", "rm", "DAYFLY_FILES_SECRET", "--app", "keeper")
    assert (removed.status, "has no secret" in removed.said) == (1, True)


def test_tests_of_an_app_see_no_file_of_production(prod: Production, keeper: Project) -> None:
    """They have a bucket to try things in, which is empty at each release."""
    looks = (
        "! python3 s3.py get seen/1.txt && ! python3 s3.py get tried && python3 s3.py put tried x"
    )
    test = f"[test]\nrun = '''{looks} && python3 s3.py get tried'''\n"

    prod.released(keeper, commit(keeper, more=test))
    prod.released(keeper, commit(keeper, more=test))

    assert "tried" not in prod.typed("files", "ls", "keeper", "-r")
    assert "tried" in prod.typed("files", "ls", "keeper.trial", "-r")


def test_the_bucket_of_another_app_is_refused(prod: Production, keeper: Project) -> None:
    prod.released(keeper, commit(keeper))
    other = project(prod.folder / "other/tight")

    ran = prod.release(other, other.commit(more='[files]\nbucket = "keeper"\n'))

    assert ran.status == 1
    assert "the bucket keeper belongs to keeper, not to tight" in ran.said
    assert "[files] bucket" in ran.said


def test_an_app_with_s3_of_its_own_keeps_it(prod: Production) -> None:
    elsewhere = project(prod.folder / "tight")
    more = '[env]\nAWS_ENDPOINT_URL = "https://s3.example"\n'
    prod.released(elsewhere, elsewhere.commit(more=more))

    said = prod.typed("run", "--app", "tight", "--", "env")

    assert "AWS_ENDPOINT_URL=https://s3.example" in said
    assert "AWS_SECRET_ACCESS_KEY" not in said
    assert "DAYFLY_BUCKET" not in said


COLLECTS = '[files]\nbucket = "keeper"\ncollect = { "/app/out/*.csv" = "batch/" }\n'
WRITES = 'echo "of $DAYFLY_MACHINE" > "out/$DAYFLY_RELEASE.csv"; exec python3 app.py'


def test_a_machine_is_retired_when_its_files_are_in(prod: Production, keeper: Project) -> None:
    first = prod.released(keeper, commit(keeper, more=COLLECTS, starts=WRITES))
    machine = f"keeper-{first}-web-1"
    prod.released(keeper, commit(keeper, more=COLLECTS, starts=WRITES))
    wait_until(
        lambda: not (prod.home.machines / machine).exists(), seconds=60, what="it is retired"
    )

    (row,) = json.loads(prod.typed("files", "versions", f"keeper/batch/{first}.csv", "--json"))

    assert (row["provenance"]["release"], row["provenance"]["machine"]) == (str(first), machine)
    path = prod.home.path / f"archive/data/keeper/batch/{first}.csv"
    assert path.read_text() == f"of {machine}\n"
    assert not (prod.home.output / machine / "collect").exists()
    assert (prod.home.output / machine / "output.log").exists()


BUILDS = """
[build]
steps = ["mkdir dist && echo one > dist/app.whl && echo two > dist/log.txt"]
outputs = { "/app/dist/*.whl" = "builds/", "dist/*.tar.gz" = "builds/" }

[test]
run = "echo ran $DAYFLY_RELEASE > reports/junit.xml; ln -s /etc/passwd reports/link.xml; test RED"
outputs = { "reports/*.xml" = "tests/" }

"""


def test_what_a_build_and_its_tests_have_made_lies_in_the_archive(
    prod: Production, keeper: Project
) -> None:
    """Reports also of tests that fail; without a place for it nothing is released."""

    def versions(key: str) -> list[str]:
        rows = json.loads(prod.typed("files", "versions", f"keeper/{key}", "--json"))
        return [row["provenance"]["release"] for row in rows]

    green = commit(keeper, more=BUILDS.replace("RED", "1"))
    first = prod.released(keeper, green)
    second = prod.released(keeper, green)
    red = prod.release(keeper, commit(keeper, more=BUILDS.replace("RED", "'' # red")))
    failed = prod.newest()
    prod.typed("files", "limit", "keeper", "--quota", "1B")
    full = prod.release(keeper, green)
    prod.typed("files", "limit", "keeper", "--quota", "0B")

    assert (red.status, full.status, prod.serving("keeper")) == (1, 1, second)
    assert versions("builds/app.whl") == [str(first)], "the same again is no version"
    assert versions("tests/junit.xml") == [str(failed), str(second), str(first)]
    assert "link.xml" not in prod.typed("files", "ls", "keeper", "-r")
    receipt = prod.record(second)
    tested, built = receipt["outputs"]
    assert (built["of"], built["count"], tested["of"]) == ("build", 1, "test")
    assert built["versions"][0]["key"] == "builds/app.whl"
    (row,) = json.loads(prod.typed("files", "versions", "keeper/builds/app.whl", "--json"))
    assert row["provenance"]["commit"] == prod.record(first)["commit"]
    assert row["provenance"]["source"] == "dist/app.whl"
    assert "outputs of [build]: dist/*.tar.gz names no file" in receipt["notes"]
    assert " keeper/builds/app.whl\n" in prod.typed("receipt", str(second))
    assert "the archive does not take the outputs of the test: " in full.said
    assert "more are too many" in full.said


MOUNTS = '[files]\nbucket = "keeper"\nmount = { "/app/media" = "media/" }\n'
SAVES = 'echo "of $DAYFLY_RELEASE" >> media/log.txt; exec python3 app.py'


def test_a_directory_goes_on_through_releases_and_into_the_archive(
    prod: Production, keeper: Project
) -> None:
    first = prod.released(keeper, commit(keeper, more=MOUNTS, starts=SAVES))
    second = prod.released(keeper, commit(keeper, more=MOUNTS, starts=SAVES))
    in_machine(prod, "touch", "-d", "2040-01-01", "media/early")  # as tar does, or a clock
    expected = f"of {first}\nof {second}\n"
    path = prod.home.path / "archive/data/keeper/media/log.txt"
    wait_until(
        lambda: path.exists() and path.read_text() == expected,
        seconds=60,
        what="the file in the archive",
        poll=0.5,
    )

    in_machine(prod, "rm", "media/log.txt")
    wait_until(lambda: not path.exists(), seconds=60, what="its deletion", poll=0.5)

    deleted, newest, *_ = json.loads(
        prod.typed("files", "versions", "keeper/media/log.txt", "--json")
    )
    assert (deleted["deleted"], newest["size"]) == (True, len(expected))
    # The second one wrote it at its start, when the first one served.
    assert newest["provenance"]["release"] == str(first)
    early = path.parent / "early"
    wait_until(early.exists, seconds=60, what="what nobody wrote for ten seconds", poll=0.5)

    prod.released(keeper, commit(keeper, more=MOUNTS.replace('"media/"', '"uploads/"')))
    there = prod.home.path / "archive/data/keeper/uploads/early"
    wait_until(there.exists, seconds=60, what="it is under the new prefix", poll=0.5)
    kept = prod.home.path / "keep/keeper/media"
    kept.rename(kept.with_name("unmounted"))
    kept.mkdir()
    wait_until(
        lambda: "another directory than before" in prod.typed("status", "--json"),
        seconds=60,
        what="what is in the way",
        poll=0.5,
    )
    assert there.exists()
    kept.rmdir()
    kept.with_name("unmounted").rename(kept)


def test_what_dayfly_run_writes_is_not_collected(prod: Production, keeper: Project) -> None:
    number = prod.released(keeper, commit(keeper, more=COLLECTS, starts=WRITES))

    in_machine(prod, "sh", "-c", "echo 1 > out/run.csv")
    wait_until(
        lambda: f"batch/{number}.csv" in prod.typed("files", "ls", "keeper", "-r"),
        seconds=60,
        what="the file of a machine that runs",
        poll=1,
    )

    assert "run.csv" not in prod.typed("files", "ls", "keeper", "-r")


@pytest.mark.docker
@pytest.mark.parametrize("network", ["host", "bridge"])
def test_a_container_reaches_the_archive(network: str) -> None:
    need_docker()
    more = f'[docker]\nnetwork = "{network}"\n'
    with open_folder() as folder, running(folder, runtime="docker", last=more) as prod:
        app = project(folder / "boxed")
        shutil.copy(keeping.CLIENT, app.folder / "s3.py")
        (app.folder / "Dockerfile").write_text(
            f"FROM {python_image()}\nCOPY . /app\nCOPY app.py /app/dist/\n"
        )
        more = '[build]\ndockerfile = "Dockerfile"\noutputs = { "dist/*.py" = "builds/" }\n'
        more += '[test]\nrun = "echo 1 > reports/a.xml"\noutputs = { "reports/*" = "tests/" }\n'
        more += COLLECTS.replace("keeper", "boxed")
        starts = f"{STARTS.partition(';')[0]}; {WRITES}"
        first = prod.released(app, commit(app, more=more, starts=starts))
        prod.released(app, commit(app, more=more, starts=starts))

        get = ("python3", "s3.py", "get", f"seen/{first}.txt")

        assert prod.typed("run", "--app", "boxed", "--", *get) == f"by boxed-{first}-web-1\n"
        wait_until(
            lambda: f"batch/{first}.csv" in prod.typed("files", "ls", "boxed", "-r"),
            seconds=60,
            what="its file in the archive",
            poll=1,
        )
        listed = prod.typed("files", "ls", "boxed", "-r")
        assert ("builds/app.py" in listed, "tests/a.xml" in listed) == (True, True)
