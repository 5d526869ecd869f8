"""Lists out of the catalogue, page by page, with what shares a prefix rolled up."""

from collections.abc import Callable, Iterator
from contextlib import closing

from dayfly import typed
from dayfly.files.catalogue import Catalogue
from dayfly.files.ledger import Row
from dayfly.files.objects import NULL, Asked, Entry, Page, Upload, UploadPage

LAST = "\U0010ffff"
END = LAST * 257  # comes after every key
_OBJECTS = """
select key, id, size, etag, modified, owner, algorithm, composite from objects
where bucket = ? and key >= ? and key < ? order by key
"""
_VERSIONS = """
select key, iif(nulled, 'null', uid), marker, size, etag, modified, owner, algorithm, composite
from versions where bucket = ? and key >= ? and key < ? order by key, uid desc
"""
_OLDER = """
select key, iif(nulled, 'null', uid), marker, size, etag, modified, owner, algorithm, composite
from versions where bucket = ? and key = ? and uid < ? order by uid desc
"""
_UPLOADS = """
select key, id, document from uploads
where bucket = ? and key >= ? and key < ? order by key, id
"""
_LATER = "select key, id, document from uploads where bucket = ? and key = ? and id > ? order by id"
_upload = typed.decoder(Upload).decode
Fetch = Callable[[str, str], Iterator[Row]]  # the rows from a key to before another


def objects(catalogue: Catalogue, bucket: str, asked: Asked) -> Page:
    def fetch(low: str, high: str) -> Iterator[Row]:
        return catalogue.ledger.each(_OBJECTS, bucket, low, high)

    found, last = _walked(asked, fetch, iter(()))
    entries = [
        Entry(row[0], row[1], True, False, row[2], row[3], row[4], row[5], row[6], bool(row[7]))
        for row in found
        if not isinstance(row, str)
    ]
    return Page(entries=tuple(entries), prefixes=_prefixes(found), next=_key(last))


def versions(catalogue: Catalogue, bucket: str, asked: Asked) -> Page:
    ledger = catalogue.ledger

    def fetch(low: str, high: str) -> Iterator[Row]:
        return ledger.each(_VERSIONS, bucket, low, high)

    older: Iterator[Row] = iter(())
    if asked.after_id:
        uid = asked.after_id
        if uid == NULL:
            null = catalogue.null(bucket, asked.after)
            uid = null.version.uid if null else ""
        older = ledger.each(_OLDER, bucket, asked.after, uid)
    found, last = _walked(asked, fetch, older)
    entries, before = [], asked.after if asked.after_id else None
    for row in found:
        if not isinstance(row, str):
            entries.append(_entry(row, latest=row[0] != before))
            before = row[0]
    last_id = "" if last is None or isinstance(last, str) else last[1]
    return Page(entries=tuple(entries), prefixes=_prefixes(found), next=_key(last), next_id=last_id)


def _entry(row: Row, *, latest: bool) -> Entry:
    key, id_, marker, size, etag, modified, owner, algorithm, composite = row
    return Entry(
        key, id_, latest, bool(marker), size, etag, modified, owner, algorithm, bool(composite)
    )


def uploads(catalogue: Catalogue, bucket: str, asked: Asked) -> UploadPage:
    ledger = catalogue.ledger

    def fetch(low: str, high: str) -> Iterator[Row]:
        return ledger.each(_UPLOADS, bucket, low, high)

    later: Iterator[Row] = iter(())
    if asked.after_id:
        later = ledger.each(_LATER, bucket, asked.after, asked.after_id)
    found, last = _walked(asked, fetch, later)
    return UploadPage(
        uploads=tuple(_upload(row[2]) for row in found if not isinstance(row, str)),
        prefixes=_prefixes(found),
        next=_key(last),
        next_id="" if last is None or isinstance(last, str) else last[1],
    )


def _walked(
    asked: Asked, fetch: Fetch, first: Iterator[Row]
) -> tuple[list[Row | str], Row | str | None]:
    """Rows and common prefixes in order, and the last of them where more follow."""
    if asked.limit <= 0:
        return [], None
    found: list[Row | str] = [row for row, _ in zip(first, range(asked.limit + 1), strict=False)]
    low: str | None = _start(asked)
    while low is not None and len(found) <= asked.limit:
        low = _taken(asked, fetch(low, successor(asked.prefix)), found)
    if len(found) <= asked.limit:
        return found, None
    found.pop()
    return found, found[-1]


def _taken(asked: Asked, rows: Iterator[Row], found: list[Row | str]) -> str | None:
    """Take rows until there are enough; where to go on when there is a common prefix."""
    with closing(rows):  # type: ignore[type-var]
        for row in rows:
            common = _common(row[0], asked)
            found.append(row if common is None else common)
            if common is not None:
                return successor(common)
            if len(found) > asked.limit:
                break
    return None


def _start(asked: Asked) -> str:
    if not asked.after or asked.after < asked.prefix:
        return asked.prefix
    if _common(asked.after, asked) == asked.after:
        return successor(asked.after)
    return f"{asked.after}\0"


def _common(key: str, asked: Asked) -> str | None:
    if not asked.delimiter:
        return None
    at = key.find(asked.delimiter, len(asked.prefix))
    return None if at < 0 else key[: at + len(asked.delimiter)]


def successor(prefix: str) -> str:
    """The least text after all that begin so."""
    bare = prefix.rstrip(LAST)
    if not bare:
        return END
    following = ord(bare[-1]) + 1
    return bare[:-1] + chr(0xE000 if following == 0xD800 else following)  # noqa: PLR2004 - no letter lies between


def _prefixes(found: list[Row | str]) -> tuple[str, ...]:
    return tuple(each for each in found if isinstance(each, str))


def _key(last: Row | str | None) -> str:
    if last is None:
        return ""
    return last if isinstance(last, str) else str(last[0])
