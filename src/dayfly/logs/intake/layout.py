"""Many objects at once as columns: what a sender's objects look like is learned from the first.

An object is read into slots instead of a dictionary, and what it says is exactly what
`objects.flat` makes of it: a name that no slot has, or anything else that is new, is an error, and
its batch is read one by one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from dayfly import typed
from dayfly.logs.parsing.apart import breaks
from dayfly.logs.parsing.objects import DEEPEST, MOST_FIELDS, is_usual
from dayfly.logs.record import Value

LEAST_ROWS = 200  # below, columns cost more than they save
MOST_LAYOUTS = 64  # of all senders
MOST_LETTERS = 20_000  # in the names of one
MOST_SKIPPED = 256  # batches, after many that were not as those before
_LARGEST = 1 << 63
_Whole = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST - 1)]
_Plain = str | _Whole | float | bool | list[Any] | UnsetType | None
_NOTHING = frozenset((type(None), UnsetType))
_UNFIT = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, TypeError)
_object = typed.decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode
Tree = dict[str, "Tree | None"]  # names, and what was seen in objects below them


class UnfitError(Exception):
    """A batch is not what can be read at once: it is to be read one by one, which tells why."""


class Column(NamedTuple):
    """The values of a name, None where an object has none; and which types there are."""

    values: list[Value | None]
    kinds: frozenset[type]  # NoneType when some have none


Columns = dict[str, Column]


@dataclass(frozen=True)
class Texts:
    """Objects as they came, a line each; empty lines do not count."""

    body: bytes

    @cached_property
    def each(self) -> list[bytes]:
        return [text for text in self.body.split(b"\n") if text and not text.isspace()]

    @cached_property
    def breaks(self) -> int:
        return breaks(self.body)

    @cached_property
    def count(self) -> int:
        return len(self.each) if self.breaks < 0 else self.breaks + 1

    @property
    def first(self) -> bytes:
        return self.body[: self.body.find(b"\n")] if self.breaks > 0 else self.each[0]


@dataclass(frozen=True)
class Layout:
    """Slots for the names of objects that may differ, in a class that is made for them."""

    tree: Tree
    _root: "_Slots"
    _decoder: Any

    @classmethod
    def of(cls, tree: Tree) -> "Layout":
        """UnfitError where names would meet, or are too many or too long."""
        names = list(_flat_names(tree, ""))
        if len(names) > MOST_FIELDS or len(set(names)) < len(names):
            raise UnfitError
        if sum(map(len, names)) > MOST_LETTERS:  # they are kept
            raise UnfitError
        try:
            root = _slots(tree)
            return cls(tree, root, typed.decoder(root.kind))
        except _UNFIT as error:  # a name that a slot can't have
            raise UnfitError from error

    def columns(self, texts: Texts) -> Columns:
        """What objects say, by name; UnfitError where one says what no slot is for."""
        try:
            rows = self._rows(texts)
        except _UNFIT as error:
            raise UnfitError from error
        found: Columns = {}
        self._root.gather(rows, "", found)
        return found

    def _rows(self, texts: Texts) -> list[Any]:
        if texts.breaks >= 0:
            rows: list[Any] = self._decoder.decode_lines(texts.body)
            if len(rows) == texts.count:  # so in no line are two
                return rows
        decode = self._decoder.decode
        return [decode(text) for text in texts.each]


@dataclass(frozen=True)
class _Slots:
    """One object's: the class, an object of it without anything, names and what is below them."""

    kind: type
    empty: Any
    below: Sequence[tuple[str, "_Slots | None"]]

    def gather(self, rows: Sequence[Any], prefix: str, into: Columns) -> bool:
        """Whether every row has something."""
        each_has = False
        for number, (name, slots) in enumerate(self.below):
            values = list(map(attrgetter(f"f{number}"), rows))
            kinds = frozenset(map(type, values))
            each_has |= UnsetType not in kinds
            if slots and slots.kind in kinds:
                values = slots.inner(values, f"{prefix}{name}", into)
                kinds = frozenset(map(type, values))
            if list in kinds:
                values = [_encode(v).decode() if type(v) is list else v for v in values]
                kinds = kinds - {list} | {str}
            if UnsetType in kinds:
                values = [None if v is UNSET else v for v in values]
            if not kinds <= _NOTHING:
                into[f"{prefix}{name}"] = Column(values, _of_values(kinds))
        return each_has

    def inner(self, values: list[Any], name: str, into: Columns) -> list[Any]:
        """Take the objects out of a column: what is left has `{}` for those without anything."""
        kind, empty = self.kind, self.empty
        rows = [value if type(value) is kind else empty for value in values]
        if self.gather(rows, f"{name}.", into):
            return [None if type(value) is kind else value for value in values]
        return [
            ("{}" if value == empty else None) if type(value) is kind else value for value in values
        ]


def _of_values(kinds: frozenset[type]) -> frozenset[type]:
    return kinds - {UnsetType} | {type(None)} if UnsetType in kinds else kinds


def _slots(tree: Tree) -> _Slots:
    below = [(name, None if deeper is None else _slots(deeper)) for name, deeper in tree.items()]
    fields = [
        (
            f"f{number}",
            _Plain | slots.kind if slots else _Plain,
            msgspec.field(default=UNSET, name=name),
        )
        for number, (name, slots) in enumerate(below)
    ]
    kind = msgspec.defstruct("Slots", fields, gc=False, forbid_unknown_fields=True)
    return _Slots(kind, kind(), below)


def _flat_names(tree: Tree, prefix: str) -> Iterator[str]:
    for name, deeper in tree.items():
        yield f"{prefix}{name}"
        if deeper is not None:
            yield from _flat_names(deeper, f"{prefix}{name}.")


def learned(texts: Iterable[bytes], tree: Tree) -> Tree:
    """The names of objects, and those that are known; UnfitError where one is no object."""
    try:
        objects = [_object.decode(text) for text in texts]
    except _UNFIT as error:
        raise UnfitError from error
    for each in objects:
        tree = _grown(tree, each, DEEPEST)
    return tree


def _grown(tree: Tree, found: Mapping[str, Any], depth: int) -> Tree:
    """The same tree where there is nothing new."""
    if len(found) > MOST_FIELDS or len(tree) > MOST_FIELDS:
        raise UnfitError
    for name, value in found.items():
        known = tree.get(name)
        if isinstance(value, dict):
            if not depth:
                raise UnfitError
            deeper = _grown({} if known is None else known, value, depth - 1)
            if known is None or deeper is not known:
                tree = {**tree, name: deeper}
        elif name not in tree:
            tree = {**tree, name: None}
    return tree


@dataclass
class _Sender:
    """What is known of objects whose first had the same names."""

    layout: Layout | None = None
    misses: int = 0  # one after the other
    skip: int = 0  # batches that are not tried


@dataclass(frozen=True)
class Layouts:
    """Those of all senders that were seen, told from each other by the names of a first object."""

    least: int = LEAST_ROWS
    senders: dict[tuple[str, ...], _Sender] = field(default_factory=dict)

    def columns(self, texts: Texts) -> Columns:
        """UnfitError where a batch is too small, or not of a kind."""
        if texts.count < self.least:
            raise UnfitError
        sender = self._sender(texts.first)
        if sender.skip:
            sender.skip -= 1
            raise UnfitError
        try:
            found = _columns(sender, texts)
        except UnfitError:
            sender.misses += 1
            sender.skip = min(MOST_SKIPPED, 2**sender.misses)
            raise
        sender.misses = 0
        return found

    def _sender(self, first: bytes) -> _Sender:
        try:
            names = tuple(_object.decode(first))
        except _UNFIT as error:
            raise UnfitError from error
        found = self.senders.get(names)
        if found is None:
            if not is_usual(names):
                raise UnfitError
            if len(self.senders) >= MOST_LAYOUTS:
                self.senders.clear()
            found = self.senders[names] = _Sender()
        return found


def _columns(sender: _Sender, texts: Texts) -> Columns:
    layout = sender.layout
    if layout:
        try:
            return layout.columns(texts)
        except UnfitError:
            pass
    tree = layout.tree if layout else {}
    fresh = learned(texts.each, tree)
    if layout and fresh is tree:
        raise UnfitError  # nothing is new but a value
    try:
        sender.layout = Layout.of(fresh)
    except UnfitError:
        sender.layout = None  # from here on without what is seen no longer
        raise
    return sender.layout.columns(texts)
