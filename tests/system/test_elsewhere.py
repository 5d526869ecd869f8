"""An environment whose files are in somebody else's S3: its machines, what it collects, its end."""

import json
import shutil
from collections.abc import Iterator

import pytest

import keeping
from archive import MAIN, Archive, archive
from dayfly.clock import wait_until
from production import Production, project, running
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

SETTINGS = '[files]\nstore = "s3://company"\ns3.endpoint = "{url}"\n'
STARTS = (
    """'python3 s3.py put "seen/$DAYFLY_RELEASE.txt" "by $DAYFLY_MACHINE"; exec python3 app.py'"""
)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive(tmp_path_factory.mktemp("other")) as found:
        found.client().create_bucket(Bucket="company")
        yield found


@pytest.fixture(scope="module")
def prod(other: Archive) -> Iterator[Production]:
    with open_folder() as folder, running(folder, last=SETTINGS.format(url=other.url)) as made:
        yield made


def test_machines_and_jobs_of_an_app_keep_their_files_there(
    prod: Production, other: Archive
) -> None:
    s3 = other.client()
    app = project(prod.folder / "keeper")
    shutil.copy(keeping.CLIENT, app.folder / "s3.py")
    prod.typed("secret", "set", "FILES_ACCESS_KEY_ID", "--app", "dayfly", given=MAIN.key)
    prod.typed("secret", "set", "FILES_SECRET_ACCESS_KEY", "--app", "dayfly", given=MAIN.secret)
    told = prod.typed("up")
    assert "note" not in told
    status = json.loads(prod.typed("status", "--json"))["services"]["files"]
    assert status == {"state": "up", "url": other.url, "store": "s3://company"}
    assert not prod.archives()

    changes = {'"exec python3 app.py"': STARTS, "machines = 2": "machines = 1"}
    more = '[test]\nrun = "test -z \\"$AWS_ENDPOINT_URL$DAYFLY_BUCKET\\" > reports/a.xml"\n'
    more += 'outputs = { "reports/*.xml" = "tests/" }\n'
    more += '[files]\ncollect = { "out/*.csv" = "batch/" }\n'
    made = app.commit(changes=changes, more=more)
    number = prod.released(app, made)

    report = s3.head_object(Bucket="company", Key="tests/a.xml")["Metadata"]
    assert (report["dayfly-release"], report["dayfly-commit"]) == (str(number), made)
    body = s3.get_object(Bucket="company", Key=f"seen/{number}.txt")["Body"].read()
    assert body.decode() == f"by keeper-{number}-web-1"
    assert f"seen/{number}.txt" in prod.typed("files", "ls", "company", "-r")
    machine = prod.home.output / f"keeper-{number}-web-1" / "collect/out"
    (machine / "a.csv").write_text("1;2")
    prod.released(app, app.commit(changes={'warm         = "5m"': 'warm         = "1s"'}))
    wait_until(
        lambda: "Contents" in s3.list_objects_v2(Bucket="company", Prefix="batch/"),
        seconds=60,
        what="what the machine has finished is collected",
    )
    found = s3.head_object(Bucket="company", Key="batch/a.csv")
    assert found["Metadata"]["dayfly-machine"] == f"keeper-{number}-web-1"
    shown = prod.typed("run", "--app", "keeper", "--", "sh", "-c", "echo $AWS_SECRET_ACCESS_KEY")
    assert MAIN.secret not in shown
