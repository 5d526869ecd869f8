"""Who has the lease of a key writes it alone, and who had it before is fenced off."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, put, rows
from dayfly.files.condition import Condition
from dayfly.files.errors import ConditionError, LeasedError
from dayfly.files.objects import Lease, Named
from dayfly.files.repository import Repository


def later(repository: Repository, seconds: float) -> None:
    now = repository.ground.now()
    repository.ground = replace(repository.ground, now=lambda: now + int(seconds * 1e9))


def written(repository: Repository, token: int | None) -> None:
    put(repository, "a", b"written", condition=Condition(token=token))


def deleted(repository: Repository, token: int | None) -> None:
    repository.delete(BUCKET, "a", condition=Condition(token=token))


def deleted_version(repository: Repository, token: int | None) -> None:
    repository.delete(BUCKET, "a", "null", Condition(token=token))


def copied(repository: Repository, token: int | None) -> None:
    source = put(repository, "source", b"x")
    repository.copy(source, BUCKET, "a", condition=Condition(token=token))


def completed(repository: Repository, token: int | None) -> None:
    upload = repository.begin_upload(BUCKET, "a")
    with repository.stage(BUCKET) as staged:
        part = repository.put_part(upload, 1, staged)
    named = [Named(number=1, etag=part.etag)]
    repository.complete(upload, named, Condition(token=token))


def tagged(repository: Repository, token: int | None) -> None:
    repository.set_tags(BUCKET, "a", "", {"x": "y"}, Condition(token=token))


def opened_to_others(repository: Repository, token: int | None) -> None:
    repository.set_acl(BUCKET, "a", "null", "public-read", Condition(token=token))


@pytest.mark.parametrize(
    "write",
    [written, deleted, deleted_version, copied, completed, tagged, opened_to_others],
)
def test_only_the_holder_writes(
    tmp_path: Path, write: Callable[[Repository, int | None], None]
) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"before")
        lease = repository.leases.take(BUCKET, "a", owner="batch", seconds=60)
        for token in (None, lease.token - 1, lease.token + 1):
            with pytest.raises(LeasedError):
                write(repository, token)
        assert content(repository, "a") == b"before"
        put(repository, "another key", b"anybody")
        write(repository, lease.token)


def test_another_owner_waits_for_the_end_and_then_the_first_one_is_fenced_off(
    tmp_path: Path,
) -> None:
    with archive(tmp_path, BUCKET) as repository:
        first = repository.leases.take(BUCKET, "a", owner="one", seconds=60)
        assert repository.leases.take(BUCKET, "a", owner="one", seconds=90).token == first.token
        with pytest.raises(LeasedError, match="one has the lease") as refused:
            repository.leases.take(BUCKET, "a", owner="other", seconds=60)
        assert refused.value.owner == "one"
        later(repository, 91)
        written(repository, first.token)  # nobody else came
        second = repository.leases.take(BUCKET, "a", owner="other", seconds=60)
        assert second.token > first.token
        for call in (
            lambda: written(repository, first.token),
            lambda: repository.leases.prolong(first, 60),
            lambda: repository.leases.release(first),
        ):
            with pytest.raises(LeasedError, match="not the newest"):
                call()
        written(repository, second.token)


def test_a_lease_can_be_prolonged_and_released(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        lease = repository.leases.take(BUCKET, "a", owner="one", seconds=10)
        lease = repository.leases.prolong(lease, 60)
        later(repository, 30)
        assert [each.owner for each in repository.leases.running(BUCKET)] == ["one"]
        repository.leases.release(lease)
        assert repository.leases.running(BUCKET) == []
        written(repository, None)
        assert (
            repository.leases.take(BUCKET, "a", owner="other", seconds=1).token == lease.token + 1
        )


def test_no_token_is_given_twice_in_a_bucket_that_is_made_anew(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        first = repository.leases.take(BUCKET, "a", owner="one", seconds=60)
        with pytest.raises(LeasedError, match="one has the lease"):
            repository.delete_bucket(BUCKET)
        later(repository, 61)
        for name in ("two", "three"):
            repository.delete_bucket(BUCKET)
            repository.create_bucket(BUCKET, owner="ann")
            repository.care.rebuild()
            second = repository.leases.take(BUCKET, "a", owner=name, seconds=60)
            assert second.token > first.token
            with pytest.raises(LeasedError, match="not the newest"):
                written(repository, first.token)
            repository.leases.release(second)
            first = second


def test_a_condition_counts_for_the_holder_as_well(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"x")
        lease = repository.leases.take(BUCKET, "a", owner="one", seconds=10)
        with pytest.raises(ConditionError):
            put(
                repository,
                "a",
                b"y",
                condition=Condition(token=lease.token, if_none_match=("*",)),
            )


def test_tokens_survive_a_rebuild(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        lease = repository.leases.take(BUCKET, "a", owner="one", seconds=60)
        before = rows(repository)
        repository.care.rebuild()

        assert rows(repository) == before
        assert repository.leases.running(BUCKET) == [lease]
        assert isinstance(lease, Lease)
