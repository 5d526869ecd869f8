"""What a file looks like: decided by its first bytes, never by what its writer says of it."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

HEAD = 64 * 1024  # bytes that are looked at, and shown of a text
MOST_IMAGE, MOST_PDF = 20 * 1024 * 1024, 50 * 1024 * 1024
ROWS, COLUMNS, LONGEST_CELL = 200, 40, 300
SVG, PDF = "image/svg+xml", "application/pdf"
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"%PDF-", PDF),
)
_TABLES = (".csv", ".tsv")
_DELIMITERS = ",;\t|"
_LETTER = 4  # bytes of the longest one in UTF-8
_FOREIGN = 0.3  # share of letters beyond ASCII in a text of old programs
_CONTROLS = frozenset(range(32)) - set(b"\t\n\r\f\x1b")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`kind` is image, pdf, table, text or nothing; `type` is what bytes are sent as."""

    kind: str
    type: str = ""
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    cut: str = ""  # what is not shown, in words
    why: str = ""  # nothing is


def preview(name: str, head: bytes, size: int) -> Preview:
    """Of a file of this size that begins with `head`, at least `HEAD` bytes where it has them."""
    if not size:
        return Preview(kind="nothing", why="It is empty.")
    head = head[:HEAD]
    found = type_of(name, head)
    if found and size > (MOST_PDF if found == PDF else MOST_IMAGE):
        return Preview(kind="nothing", why="It is too large to be shown; save it instead.")
    if found:
        return Preview(kind="pdf" if found == PDF else "image", type=found)
    text = text_of(head, whole=size <= len(head))
    if text is None:
        return Preview(kind="nothing", why="It is neither a text nor an image, PDF or CSV.")
    cut = "" if size <= len(head) else f"the first {HEAD // 1024} KB"
    if name.lower().endswith(_TABLES):
        return table(text, cut)
    return Preview(kind="text", text=text, cut=cut)


def type_of(name: str, head: bytes) -> str:
    """Of what may be sent to be shown; empty for everything else, such as HTML."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    is_svg = name.lower().endswith(".svg") and b"<svg" in head
    return SVG if is_svg else ""


def text_of(head: bytes, *, whole: bool) -> str | None:
    """None for what is no text. UTF-8, else what old programs write; a letter cut is left out."""
    if _CONTROLS & set(head):
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not whole and error.start > len(head) - _LETTER:
            return head[: error.start].decode("utf-8-sig")
    foreign = sum(byte >= 0x80 for byte in head)  # noqa: PLR2004 - what is not ASCII
    return head.decode("cp1252", errors="replace") if foreign < _FOREIGN * len(head) else None


def table(text: str, cut: str) -> Preview:
    """A last line that is cut is left out; so is what is too much for a page."""
    lines = text.splitlines(keepends=True)
    if cut and len(lines) > 1:
        lines.pop()
    first = lines[0] if lines else ""
    delimiter = max(_DELIMITERS, key=first.count)
    read = csv.reader(lines, delimiter=delimiter)
    try:
        rows = list(islice(read, ROWS + 1))
    except csv.Error:
        return Preview(kind="text", text=text, cut=cut)
    told = list(_left_out(rows, cut))
    return Preview(
        kind="table",
        rows=[[_cell(cell) for cell in row[:COLUMNS]] for row in rows[:ROWS]],
        cut=", ".join(told),
    )


def _left_out(rows: Sequence[Sequence[str]], cut: str) -> Iterator[str]:
    if len(rows) > ROWS:
        yield f"the first {ROWS} rows"
    elif cut:
        yield cut
    if any(len(row) > COLUMNS for row in rows):
        yield f"the first {COLUMNS} columns"


def _cell(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
