"""Whatever is done in whatever order, the archive is what a plain list of versions would be."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from archived import BUCKET, archive, content, every, every_of, put, rows, tree_of
from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.errors import ConditionError, NoSuchKeyError
from dayfly.files.keys import key_of
from dayfly.files.objects import Versioning

KEYS = ["a", "a/b", "a/b/c", "b/", "..", "C", "a%="]
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
key = st.sampled_from(KEYS)
body = st.sampled_from([b"", b"one", b"two", b"three"])


@dataclass
class Stored:
    """A version as the model has it; a marker has no bytes."""

    id: str
    content: bytes | None


@dataclass
class Model:
    versioning: Versioning = Versioning.NEVER
    versions: dict[str, list[Stored]] = field(default_factory=dict)  # newest first

    def current(self, name: str) -> bytes | None:
        stored = self.versions.get(name)
        return stored[0].content if stored else None

    def add(self, name: str, stored: Stored) -> None:
        rest = [each for each in self.versions.get(name, []) if each.id != stored.id]
        self.versions[name] = [stored, *rest]


class Archive(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="dayfly-test-", dir=IN_MEMORY)
        self.path = Path(self.folder.name)
        self.opened = archive(self.path, BUCKET)
        self.repository = self.opened.__enter__()
        self.model = Model()

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)
        self.folder.cleanup()

    @rule(name=key, stored=body, absent=st.booleans())
    def put(self, name: str, stored: bytes, absent: bool) -> None:
        condition = Condition(if_none_match=("*",)) if absent else ALWAYS
        refused = absent and self.model.current(name) is not None
        try:
            version = put(self.repository, name, stored, condition=condition)
        except ConditionError:
            assert refused
            return
        assert not refused
        assert (version.id == "null") == (self.model.versioning is not Versioning.ENABLED)
        self.model.add(name, Stored(version.id, stored))

    @rule(name=key)
    def delete(self, name: str) -> None:
        deleted = self.repository.delete(BUCKET, name)
        if self.model.versioning is Versioning.NEVER:
            self.model.versions.pop(name, None)
        else:
            self.model.add(name, Stored(deleted.id, None))

    @precondition(lambda self: any(self.model.versions.values()))
    @rule(data=st.data())
    def delete_a_version(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(n for n, v in self.model.versions.items() if v)))
        stored = data.draw(st.sampled_from(self.model.versions[name]))
        self.repository.delete(BUCKET, name, stored.id)
        self.model.versions[name].remove(stored)

    @precondition(lambda self: any(self.model.current(name) is not None for name in KEYS))
    @rule(data=st.data(), to=key)
    def copy(self, data: st.DataObject, to: str) -> None:
        there = [name for name in KEYS if self.model.current(name) is not None]
        name = data.draw(st.sampled_from(there))
        version = self.repository.copy(self.repository.head(BUCKET, name), BUCKET, to)
        self.model.add(to, Stored(version.id, self.model.current(name)))

    def file_of(self, name: str) -> Path:
        """Where a person finds the file of a key, or would put it."""
        folder = self.path / "tree" / "data" / BUCKET
        if self.model.current(name) is None:
            return folder / name
        return folder / self.repository.head(BUCKET, name).path

    @rule(name=st.sampled_from(["C", "a/b/c"]), stored=body, survey=st.booleans())
    def put_by_hand(self, name: str, stored: bytes, survey: bool) -> None:
        path, before = self.file_of(name), self.model.current(name)
        if path.is_dir() or any(each.is_file() for each in path.parents):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = before is None or self.kept(name)
        fresh = path.with_name("fresh")
        fresh.write_bytes(stored)
        fresh.rename(path)
        self.seen_by_hand(name, survey)
        if stored != before:
            if not kept:
                del self.model.versions[name][0]
            self.model.add(name, Stored(every_of(self.repository, name)[0].id, stored))

    @rule(name=st.sampled_from(["C", "a/b/c"]), survey=st.booleans())
    def delete_by_hand(self, name: str, survey: bool) -> None:
        path = self.file_of(name)
        if self.model.current(name) is None:
            return
        kept = self.kept(name)
        path.unlink()
        self.seen_by_hand(name, survey)
        versions = self.model.versions[name]
        if self.model.versioning is Versioning.NEVER:
            del versions[0]
            return
        if not kept:
            del versions[0]
        self.model.add(name, Stored(every_of(self.repository, name)[0].id, None))

    @rule(name=st.sampled_from(["C", "a/b/c"]), stored=body, survey=st.booleans())
    def edit_in_place(self, name: str, stored: bytes, survey: bool) -> None:
        path, before = self.file_of(name), self.model.current(name)
        if before in {None, stored}:
            return
        elsewhere = self.kept(name) and not self.shared(name)
        path.write_bytes(stored)
        self.seen_by_hand(name, survey)
        versions = self.model.versions[name]
        ids = [each.id for each in every_of(self.repository, name)]
        if ids[0] == versions[0].id:
            versions[0].content = stored
        else:
            if not elsewhere:
                del versions[0]
            self.model.add(name, Stored(ids[0], stored))

    def kept(self, name: str) -> bool:
        """Whether the bytes of the current version lie elsewhere, too."""
        ground = self.repository.ground
        return ground.tree.kept(self.repository.head(BUCKET, name)).exists()

    def shared(self, name: str) -> bool:
        """Whether these are the very file that is in place."""
        tree, version = self.repository.ground.tree, self.repository.head(BUCKET, name)
        return tree.kept(version).samefile(tree.data(version))

    def seen_by_hand(self, name: str, survey: bool) -> None:
        if survey:
            assert self.repository.care.survey(BUCKET) == []
        else:
            with suppress(NoSuchKeyError):
                self.repository.head(BUCKET, name)

    @rule(state=st.sampled_from([Versioning.ENABLED, Versioning.SUSPENDED]))
    def set_versioning(self, state: Versioning) -> None:
        self.repository.set_versioning(BUCKET, state)
        self.model.versioning = state

    @rule()
    def open_again(self) -> None:
        self.opened.__exit__(None, None, None)
        self.opened = archive(self.path)
        self.repository = self.opened.__enter__()

    @rule()
    def rebuild(self) -> None:
        before = rows(self.repository)
        self.repository.care.rebuild()
        assert rows(self.repository) == before

    @invariant()
    def files_are_the_current_versions(self) -> None:
        there = {name: self.model.current(name) for name in KEYS}
        wanted = {name: stored for name, stored in there.items() if stored is not None}
        found = tree_of(self.path)
        assert {key_of(path): stored for path, stored in found.items()} == wanted
        assert len(found) == len(wanted)

    @invariant()
    def versions_are_those_that_were_made(self) -> None:
        wanted = [
            (name, stored.id, stored.content is None, number == 0)
            for name in sorted(KEYS)
            for number, stored in enumerate(self.model.versions.get(name, []))
        ]
        found = every(self.repository)
        assert [(each.key, each.id, each.marker, each.latest) for each in found] == wanted
        for name, versions in self.model.versions.items():
            for stored in versions:
                if stored.content is not None:
                    assert content(self.repository, name, stored.id) == stored.content

    @invariant()
    def a_reader_gets_the_current_version(self) -> None:
        for name in KEYS:
            try:
                found = content(self.repository, name)
            except NoSuchKeyError:
                assert self.model.current(name) is None
            else:
                assert found == self.model.current(name)


Archive.TestCase.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestArchive = Archive.TestCase
