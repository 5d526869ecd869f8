"""The public conformance suite of S3, ceph/s3-tests, against the archive.

It is not part of this repository: S3_TESTS names a clone of it, else it is cloned. Of its 883 tests
those about an archive are run; what these fail at, and why, stands in docs/reference/s3.md.
"""

import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive import Archive, Who, archive
from dayfly.durable import write_atomically

SUITE = "https://github.com/ceph/s3-tests"
COMMIT = "8f0ae7b404a3a2fcf7038bf1e6bf29544fe9b6a3"
REGION = "eu-central-1"
BAR = 400
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "s3.md"
# What an archive is not: other storage behind it, websites, logs, keys of others, IAM.
ELSEWHERE = (
    "appendobject", "auth_aws2", "bucket_encryption", "bucket_logging", "bucket_logging_cleanup",
    "cloud_restore", "cloud_transition", "encryption", "group", "iam_account",
    "iam_cross_account", "iam_role", "iam_tenant", "iam_user", "lifecycle_expiration",
    "lifecycle_transition", "role_policy", "s3select", "s3website",
    "s3website_redirect_location", "s3website_routing_rules", "sns", "sse_s3", "storage_class",
    "target_by_bucket", "test_of_sts", "user_policy",
)  # fmt: skip
# The first that a test's name has; all of the first six must pass.
AREAS = {
    "conditional": r"if_?(none_?|non)?match|if_?(un)?modified|conditional",
    "object lock": r"object_lock",
    "checksum": r"checksum|cksum",
    "multipart": r"multipart|upload_part",
    "versioning": r"version|delete_marker",
    "list": r"^test_(basic_key_count|bucket_list|list_buckets)",
    "copy": r"copy",
    "tagging": r"tag",
    "policy": r"policy|public_block|block_public|ignore_public|public_acls",
    "post": r"post_object",
    "cors": r"cors",
    "lifecycle": r"lifecycle",
    "acl": r"acl|_access_bucket|grant",
    "ownership": r"ownership|bucket_owner|object_writer",
    "bucket": r"^test_(bucket|buckets|create_bucket)",
    "object": r"",
}
WHOLLY = ("conditional", "versioning", "list", "multipart", "checksum", "object lock")
ACCOUNTS = {
    "main": Who("main-id", "Main", "MAINKEY0000000000001", "main-secret", "main@example.org"),
    "alt": Who("alt-id", "Alt", "ALTKEY00000000000001", "alt-secret", "alt@example.org"),
    "tenant": Who("t$id", "t$Tenant", "TENANTKEY00000000001", "t-secret", "tenant@example.org"),
    "iam": Who("iam-id", "Iam", "IAMKEY00000000000001", "iam-secret", "iam@example.org"),
}


@dataclass(frozen=True)
class Suite:
    folder: Path
    python: Path


def run(folder: Path, _seed: int, budget: float) -> dict[str, Any]:
    """Area by area, as many as the budget has room for; the rest when it is called again."""
    ends = time.monotonic() + budget
    suite = _suite(folder)
    progress = folder / "progress.json"
    done: dict[str, dict[str, str]] = json.loads(progress.read_text()) if progress.exists() else {}
    place = folder / "served"
    place.mkdir(exist_ok=True)
    with archive(place, who=tuple(ACCOUNTS.values()), region=REGION) as served:
        _configure(suite, folder, served)
        for area, tests in _by_area(_collected(suite, folder)).items():
            if area not in done and time.monotonic() < ends:
                done[area] = _ran(suite, folder, tests)
                write_atomically(progress, json.dumps(done))
    return _evidence(done)


def _suite(folder: Path) -> Suite:
    clone = Path(os.environ.get("S3_TESTS", folder / "s3-tests"))
    if not clone.exists():
        _done(["git", "clone", "--quiet", SUITE, str(clone)])
        _done(["git", "-C", str(clone), "checkout", "--quiet", COMMIT])
    venv = folder / "venv"
    if not venv.exists():
        _done([sys.executable, "-m", "uv", "venv", "--quiet", str(venv)])
        install = ["pip", "install", "--quiet", "-p", str(venv / "bin/python"), "pytest-timeout"]
        _done([sys.executable, "-m", "uv", *install, "-r", str(clone / "requirements.txt")])
    return Suite(clone, venv / "bin" / "python")


def _configure(suite: Suite, folder: Path, served: Archive) -> None:
    """In the suite's own format; sections that no chosen test reads are those of its sample."""
    sample = (suite.folder / "s3tests.conf.SAMPLE").read_text()
    text = re.sub(r"(?m)^port = .*", f"port = {served.port}", sample)
    text = re.sub(r"(?m)^host = .*", "host = 127.0.0.1", text)
    text = re.sub(r"(?m)^api_name = .*", f"api_name = {REGION}", text)
    for section, name in (
        ("s3 main", "main"),
        ("s3 alt", "alt"),
        ("s3 tenant", "tenant"),
        ("iam", "iam"),
    ):
        who = ACCOUNTS[name]
        values = {"display_name": who.name, "user_id": who.id, "email": who.email,
                  "access_key": who.key, "secret_key": who.secret}  # fmt: skip
        begin = text.index(f"[{section}]")
        end = text.find("\n[", begin + 1)
        part = text[begin : end if end > 0 else len(text)]
        fresh = part
        for key, value in values.items():
            fresh = re.sub(rf"(?m)^{key} = .*", lambda _, k=key, v=value: f"{k} = {v}", fresh)
        text = text.replace(part, fresh)
    (folder / "s3tests.conf").write_text(text)


def _collected(suite: Suite, folder: Path) -> list[str]:
    marks = f"not ({' or '.join(ELSEWHERE)})"
    found = _pytest(suite, folder, ["--collect-only", "-m", marks, *_FILES])
    return [line for line in found.splitlines() if "::" in line]


_FILES = ("s3tests/functional/test_s3.py", "s3tests/functional/test_headers.py")


def _by_area(tests: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {area: [] for area in AREAS}
    for test in tests:
        name = name_of(test)
        area = next(each for each, pattern in AREAS.items() if re.search(pattern, name))
        found[area].append(test)
    return found


def name_of(test: str) -> str:
    return test.rpartition("::")[2]


def _ran(suite: Suite, folder: Path, tests: list[str]) -> dict[str, str]:
    """What came of each: passed, or why not."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    _pytest(suite, folder, ["--timeout=900", f"--junitxml={report}", *tests])
    found = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        wrong = next((each for each in case if each.tag in ("failure", "error", "skipped")), None)
        why = "passed" if wrong is None else f"{wrong.tag}: {wrong.get('message', '')[:200]}"
        found[str(case.get("name"))] = why
    return found


def _pytest(suite: Suite, folder: Path, arguments: list[str]) -> str:
    env = {"PATH": os.environ["PATH"], "S3TEST_CONF": str(folder / "s3tests.conf")}
    argv = [str(suite.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        argv, cwd=suite.folder, env=env, capture_output=True, text=True, check=False
    )
    return done.stdout


def _done(argv: list[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def reasons() -> dict[str, str]:
    """Of tests that are not passed, as the page tells them."""
    part = PAGE.read_text().split("## What the conformance suite finds missing\n")[1]
    found = {}
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `test_"):
            found |= dict.fromkeys(re.findall(r"`(test_\w+)`", cells[0]), cells[1])
    return found


def _evidence(done: dict[str, dict[str, str]]) -> dict[str, Any]:
    figures = {
        area: dict(Counter("passed" if each == "passed" else "failed" for each in found.values()))
        for area, found in done.items()
    }
    failed = {
        name: why for found in done.values() for name, why in found.items() if why != "passed"
    }
    passed = sum(each.get("passed", 0) for each in figures.values())
    unexplained = sorted(failed.keys() - reasons().keys())
    wholly = all(area in figures and not figures[area].get("failed") for area in WHOLLY)
    return {
        "held": passed >= BAR and wholly and not unexplained and len(done) == len(AREAS),
        "suite": {"repository": SUITE, "commit": COMMIT},
        "figures": {"passed": passed, "failed": len(failed), "areas": figures},
        "unexplained": unexplained,
        "failed": failed,
    }
