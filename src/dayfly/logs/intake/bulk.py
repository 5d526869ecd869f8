"""The body of Elasticsearch's `_bulk`: a line that says what to do, a line with the document."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import polars as pl

from dayfly.errors import DayflyError
from dayfly.logs.intake.columns import documents_frame
from dayfly.logs.intake.documents import record_of
from dayfly.logs.intake.layout import Layouts, Texts, UnfitError
from dayfly.logs.parsing import loose
from dayfly.logs.store.line import Line
from dayfly.logs.store.problems import BodyError

CREATED, WRONG, AGAIN = 201, 400, 429
_encode = msgspec.json.Encoder().encode
Action = tuple[str, dict[str, Any], bytes]  # verb, its arguments, and the line with the document
Named = tuple[str, str, str, bool]  # the first of an item
VERBS = ("index", "create")
_NO_DOCUMENT = "delete"  # the one action without a line of its own


class BulkError(DayflyError):
    """The body as a whole is no bulk request: which line is what nobody can tell."""


class Item(NamedTuple):
    """One action, and what becomes of it; `reason` is why it is refused.

    A tuple, because one is made for every document.
    """

    verb: str
    into: str  # the index
    id: str
    given_id: bool
    record: Line | None = None
    status: int = WRONG
    kind: str = ""
    reason: str = ""

    @property
    def right(self) -> bool:
        return self.status == CREATED


@dataclass(frozen=True)
class Bulk:
    items: Sequence[Item]
    frame: pl.DataFrame | None = None  # the records of all items, where they were read at once
    batch: str = ""  # the same for the same documents; empty when one has no id of its sender's

    @property
    def records(self) -> list[Line]:
        """What the store is to take, where they were read one by one."""
        return [item.record for item in self.items if item.record]

    def rejected(self, kind: str, reason: str) -> "Bulk":
        """None of it was taken, and all that is right is to be sent again."""
        return Bulk(
            [
                item._replace(record=None, status=AGAIN, kind=kind, reason=reason)
                if item.right
                else item
                for item in self.items
            ]
        )


def read(body: bytes, *, index: str, now: int, layouts: Layouts | None = None) -> Bulk:
    """What a body asks for. `index` is where documents go whose action names none.

    With `layouts` its documents are read at once where that is possible.
    """
    actions = list(_actions(body))
    if not actions:
        raise BulkError("request body is required")
    prefix = uuid4().hex
    named = [
        _named(verb, told, index, f"{prefix}{number}")
        for number, (verb, told, _) in enumerate(actions)
    ]
    try:
        frame = _frame(actions, now, layouts) if layouts else None
    except UnfitError:
        frame = None
    if frame is not None:
        items = [Item(*each, status=CREATED) for each in named]
    else:
        documents = (document for _, _, document in actions)
        items = [_item(*each, now) for each in zip(named, documents, strict=True)]
    return Bulk(items, frame, _batch(items, actions))


def _frame(actions: Sequence[Action], now: int, layouts: Layouts) -> pl.DataFrame:
    """The records of all documents; UnfitError where some have to be looked at one by one."""
    if not all(verb in VERBS for verb, _, _ in actions):
        raise UnfitError
    documents = Texts(b"\n".join([document for _, _, document in actions]))
    if documents.count < len(actions):
        raise UnfitError
    return documents_frame(layouts.columns(documents), documents, now)


def _batch(items: Sequence[Item], actions: Sequence[Action]) -> str:
    """Of what is taken, ids and documents: one id with another document is another record."""
    taken = [(item, action[2]) for item, action in zip(items, actions, strict=True) if item.right]
    if not all(item.given_id for item, _ in taken):
        return ""
    ids = _encode([(item.verb, item.into, item.id) for item, _ in taken])
    digest = hashlib.sha256(b"\n".join([ids, *(document for _, document in taken)]))
    return f"bulk-{digest.hexdigest()}"


def answered(items: Sequence[Item]) -> msgspec.Raw:
    """What Elasticsearch says of each: a list, as JSON."""
    return msgspec.Raw(b"[" + b",".join(map(_answered, items)) + b"]")


def _answered(item: Item) -> bytes:
    if item.right:
        begin, end = _created(item.verb, item.into)
        return begin + _encode(item.id) + end
    said = {"status": item.status, "error": {"type": item.kind, "reason": item.reason}}
    return _encode({item.verb: {"_index": item.into, "_id": item.id, **said}})


@lru_cache(maxsize=64)
def _created(verb: str, index: str) -> tuple[bytes, bytes]:
    """What is the same of all that were taken, before and after their ids."""
    told = {
        "_index": index,
        "_version": 1,
        "result": "created",
        "_shards": {"total": 1, "successful": 1, "failed": 0},
        "_seq_no": 0,
        "_primary_term": 1,
        "status": CREATED,
    }
    return b'{%s:%s,"_id":' % (_encode(verb), _encode(told)[:-1]), b"}}"


def _actions(body: bytes) -> Iterator[Action]:
    lines = iter(enumerate(body.split(b"\n"), 1))
    before, verb, told = b"", "", dict[str, Any]()
    for number, line in lines:
        if not line.strip():
            continue
        if line != before:  # most senders say the same again and again
            before, (verb, told) = line, _action(number, line)
        _, document = (0, b"") if verb == _NO_DOCUMENT else next(lines, (0, b""))
        yield verb, told, document


def _action(number: int, line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        ((verb, told),) = loose.an_object(line).items()
    except loose.BROKEN as error:
        raise BulkError(f"Malformed action/metadata line [{number}]: {error}") from error
    if verb not in (*VERBS, "update", _NO_DOCUMENT) or not isinstance(told, dict):
        raise BulkError(
            f"Malformed action/metadata line [{number}], expected one of "
            f"[create, delete, index, update] but found [{verb}]"
        )
    return verb, told


def _named(verb: str, told: dict[str, Any], index: str, otherwise: str) -> Named:
    """`index` and `otherwise` are index and id of an action that names none."""
    given = told.get("_id")
    return verb, str(told.get("_index") or index), str(given or otherwise), bool(given)


def _item(named: Named, document: bytes, now: int) -> Item:
    if named[0] not in VERBS:
        reason = f"[{named[0]}] is not possible: log records are only added"
        return Item(*named, kind="illegal_argument_exception", reason=reason)
    try:
        return Item(*named, record_of(loose.an_object(document), now), CREATED)
    except (*loose.BROKEN, BodyError) as error:
        return Item(*named, kind="document_parsing_exception", reason=str(error))
