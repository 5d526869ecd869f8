"""Quota, trash and retention of a bucket."""

from dataclasses import replace
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, every, every_of, keys, put
from dayfly.clock import DAY
from dayfly.files.catalogue import Known
from dayfly.files.condition import ANY, Condition
from dayfly.files.errors import BucketNotEmptyError, ConditionError, NoRoomError, NoSuchVersionError
from dayfly.files.objects import Description, Lock, Named, Provenance, Version, Versioning
from dayfly.files.repository import Repository
from dayfly.files.retention import Due, Rule, due


def later(repository: Repository, days: float) -> None:
    now = repository.ground.now()
    repository.ground = replace(repository.ground, now=lambda: now + int(days * DAY))


def test_a_quota_counts_all_versions_and_frees_what_is_deleted(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        repository.set_limits(BUCKET, quota=10)
        first = put(repository, "a", b"12345")
        put(repository, "a", b"1234")
        with pytest.raises(NoRoomError, match="9 of 10 bytes are used, 2 more are too many"):
            put(repository, "b", b"12")
        upload = repository.begin_upload(BUCKET, "b")
        with repository.stage(BUCKET) as staged:
            staged.write(b"123")
            with pytest.raises(NoRoomError, match="3 more"):
                repository.put_part(upload, 1, staged)
            repository.delete(BUCKET, "a", first.id)
            part = repository.put_part(upload, 1, staged)
        with repository.stage(BUCKET) as staged:
            staged.write(b"1234")
            with pytest.raises(NoRoomError, match="4 of 10 bytes are used, 7 more are too many"):
                repository.put_part(upload, 2, staged)
            part = repository.put_part(upload, 1, staged)  # another one in its place
        put(repository, "c", b"123")
        with pytest.raises(NoRoomError):
            repository.complete(upload, [Named(number=1, etag=part.etag)])
        repository.delete(BUCKET, "c", every_of(repository, "c")[0].id)
        repository.complete(upload, [Named(number=1, etag=part.etag)])
        assert repository.usage(BUCKET).all_bytes == 8


@pytest.mark.parametrize("versioning", [Versioning.NEVER, Versioning.SUSPENDED])
def test_what_replaces_an_object_needs_room_only_for_what_is_more(
    tmp_path: Path, versioning: Versioning
) -> None:
    with archive(tmp_path, BUCKET) as repository:
        if versioning:
            repository.set_versioning(BUCKET, versioning)
        repository.set_limits(BUCKET, quota=10)
        put(repository, "a", b"1234567890")
        put(repository, "a", b"0987654321")
        with pytest.raises(NoRoomError):
            put(repository, "a", b"12345678901")


def test_who_deletes_and_who_restores_is_told(tmp_path: Path) -> None:
    ada, bob = Provenance(who="ada"), Provenance(who="bob")
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        repository.set_limits(BUCKET, trash_seconds=60)
        first = put(repository, "a", b"one")
        marker = repository.delete(BUCKET, "a", by=ada)
        assert repository.head(BUCKET, "a", marker.id).description.provenance == ada

        repository.delete(BUCKET, "a", first.id)
        (trashed,) = repository.care.trash(BUCKET)
        nothing = Condition(if_none_match=(ANY,))
        restored = repository.care.restore(trashed, nothing, bob)
        assert restored.description.provenance == bob
        with pytest.raises(ConditionError):
            repository.care.restore(trashed, nothing, bob)


@pytest.mark.parametrize("versioning", [Versioning.NEVER, Versioning.ENABLED])
def test_what_was_deleted_for_good_can_be_restored_for_a_while(
    tmp_path: Path, versioning: Versioning
) -> None:
    with archive(tmp_path, BUCKET) as repository:
        if versioning:
            repository.set_versioning(BUCKET, versioning)
        repository.set_limits(BUCKET, trash_seconds=7 * 86_400)
        one = put(repository, "a", b"one", Description(metadata={"x": "y"}))
        two = put(repository, "a", b"two")
        repository.delete(BUCKET, "a", two.id)
        if versioning:
            repository.delete(BUCKET, "a", one.id)
        found = repository.care.trash(BUCKET)

        assert {each.version.uid for each in found} == {one.uid, two.uid}
        assert every(repository) == []
        with pytest.raises(BucketNotEmptyError, match="can be restored: 2 versions"):
            repository.delete_bucket(BUCKET)
        oldest = next(each for each in found if each.version.uid == one.uid)
        restored = repository.care.restore(oldest)
        assert content(repository, "a") == b"one"
        assert restored.description.restored_from == one.id
        assert restored.description.metadata == {"x": "y"}
        later(repository, 6)
        assert repository.care.empty_trash(BUCKET) == 0
        later(repository, 2)
        repository.create_bucket("shop", owner="ann")
        repository.set_limits("shop", trash_seconds=86_400)
        put(repository, "a", b"one", bucket="shop")
        repository.delete("shop", "a")
        later(repository, 2)
        repository.delete_bucket("shop")  # nothing is kept any longer
        assert repository.care.empty_trash(BUCKET) == 2
        assert repository.care.trash(BUCKET) == []
        with pytest.raises(NoSuchVersionError, match="not in the trash any more"):
            repository.care.restore(oldest)
        assert content(repository, "a") == b"one"


def version(days_ago: float, *, marker: bool = False, size: int = 5, tag: str = "") -> Version:
    return Version(
        bucket=BUCKET,
        key="logs/a",
        uid=f"{int((1000 - days_ago) * DAY):032x}",
        modified=int((1000 - days_ago) * DAY),
        marker=marker,
        size=size,
        description=Description(tags={"kind": tag} if tag else {}),
    )


OLD, MIDDLE, NEW, MARKER = version(30), version(20), version(10), version(5, marker=True)
RULES: dict[str, tuple[Rule, list[Version], bool, list[Version]]] = {
    "young enough": (Rule(days=11), [NEW], False, []),
    "too old": (Rule(days=10), [NEW], True, []),
    "after a date": (Rule(until=999 * DAY), [NEW], True, []),
    "before a date": (Rule(until=1001 * DAY), [NEW], False, []),
    "deleted already": (Rule(days=1), [MARKER, NEW], False, []),
    "of another prefix": (Rule(days=10, prefix="x"), [NEW], False, []),
    "of the prefix": (Rule(days=10, prefix="logs/"), [NEW], True, []),
    "without the tag": (Rule(days=10, tags={"kind": "tmp"}), [NEW], False, []),
    "with the tag": (Rule(days=10, tags={"kind": "tmp"}), [version(10, tag="tmp")], True, []),
    "not larger": (Rule(days=10, larger_than=5), [NEW], False, []),
    "larger": (Rule(days=10, larger_than=4), [NEW], True, []),
    "not smaller": (Rule(days=10, smaller_than=5), [NEW], False, []),
    "smaller": (Rule(days=10, smaller_than=6), [NEW], True, []),
    "older by when they were replaced": (Rule(older_days=15), [NEW, MIDDLE, OLD], False, [OLD]),
    "older but the newest": (
        Rule(older_days=5, older_kept=1),
        [MARKER, NEW, MIDDLE],
        False,
        [MIDDLE],
    ),
    "older below a marker": (Rule(older_days=5), [MARKER, NEW], False, [NEW]),
    "a lone marker": (Rule(lone_markers=True), [MARKER], False, [MARKER]),
    "a lone marker, by a tag": (Rule(lone_markers=True, tags={"k": "v"}), [MARKER], False, []),
    "a lone marker, by a size": (Rule(lone_markers=True, larger_than=0), [MARKER], False, []),
    "an older marker, by a size": (Rule(older_days=5, smaller_than=6), [NEW, MARKER], False, []),
    "a marker that hides one": (Rule(lone_markers=True), [MARKER, NEW], False, []),
    "nothing asked for": (Rule(), [NEW, OLD], False, []),
}


@pytest.mark.parametrize("case", RULES)
def test_a_rule_says_what_is_due(case: str) -> None:
    rule, versions, current, gone = RULES[case]

    assert due(rule, versions, 1000 * DAY) == Due(current=current, versions=tuple(gone))


@pytest.mark.parametrize(
    ("hours", "current"),
    [
        pytest.param(23.9, False, id="no day has passed"),
        pytest.param(24.1, False, id="a day has, and the midnight has not come"),
        pytest.param(33.0, True, id="the midnight that was announced"),
    ],
)
def test_whole_days_end_at_a_midnight(hours: float, current: bool) -> None:
    written = version(0.375)  # at 15:00
    now = written.modified + round(hours / 24 * DAY)

    assert due(Rule(days=1), [written], now).current == current


def test_retention_deletes_what_no_lock_keeps(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        held = put(repository, "held", b"1", Description(lock=Lock(hold=True)))
        for key in ("a", "a", "leased", "held"):
            put(repository, key, b"2")
        repository.begin_upload(BUCKET, "a")
        repository.leases.take(BUCKET, "leased", owner="batch", seconds=86_400 * 100)
        later(repository, 10)
        rules = [Rule(days=5, older_days=5, upload_days=5)]

        narrow = Rule(upload_days=5, tags={"k": "v"})
        assert repository.care.expire(BUCKET, [narrow]) == 0  # of one kept by an older version
        assert repository.care.expire(BUCKET, rules) == 4
        assert keys(repository) == ["leased"]
        assert held.id in [entry.id for entry in every(repository)]
        later(repository, 10)
        repository.care.expire(BUCKET, [*rules, Rule(lone_markers=True)])
        assert [entry.key for entry in every(repository)] == ["a", "held", "held", "leased"]
        repository.care.expire(BUCKET, [Rule(lone_markers=True)])
        assert {entry.key for entry in every(repository)} == {"held", "leased"}


def test_what_is_put_while_rules_are_carried_out_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody puts, or brings back, just after it was seen what is due."""
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "replaced", b"old")
        put(repository, "uncovered", b"old")
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        put(repository, "replaced", b"newer")
        above = put(repository, "uncovered", b"newer")
        repository.set_versioning(BUCKET, Versioning.SUSPENDED)
        look, seen = repository.ground.catalogue.all_of, set[str]()

        def looked(bucket: str, key: str) -> list[Known]:
            found = look(bucket, key)
            if key not in seen:
                seen.add(key)
                if key == "replaced":
                    put(repository, key, b"just now")
                else:
                    repository.delete(BUCKET, key, above.id)
            return found

        monkeypatch.setattr(repository.ground.catalogue, "all_of", looked)
        rule = Rule(older_days=1e-9)

        assert repository.care.expire(BUCKET, [rule]) == 1  # the one that became an older one
        assert content(repository, "replaced") == b"just now"
        assert content(repository, "uncovered") == b"old"
