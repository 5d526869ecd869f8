"""A form that a browser posts: its fields, and the file as it comes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from dayfly.files.s3.problem import S3Error

MOST_FIELDS = 100
MOST_BYTES = 64 * 1024  # of all fields


@dataclass
class Form:
    """What comes after the file is not looked at, as S3 has it. Names are lower case.

    Headers of a part are no fields: a browser gives the file's part a Content-Type, of which no
    policy says anything.
    """

    fields: dict[str, str] = field(default_factory=dict)
    filename: str = ""
    begun: bool = False  # the file
    ended: bool = False
    _size: int = 0
    _header: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    _headers: dict[str, str] = field(default_factory=dict)
    _name: str = ""
    _value: bytearray = field(default_factory=bytearray)
    _pieces: list[bytes] = field(default_factory=list)
    _parser: Any = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The file's bytes in this piece of the form."""
        try:
            self._parser.write(piece)
        except MultipartParseError as error:
            raise S3Error("MalformedPOSTRequest") from error
        pieces, self._pieces = self._pieces, []
        yield from pieces

    def finish(self) -> None:
        if not self.ended:
            raise S3Error("MalformedPOSTRequest", "The form has no file, or breaks off.")

    def callbacks(self) -> Any:  # noqa: ANN401 - the parser's own kind of dict
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._grow(
                self._header[0], data[start:end]
            ),
            "on_header_value": lambda data, start, end: self._grow(
                self._header[1], data[start:end]
            ),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": lambda data, start, end: self._data(data[start:end]),
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._headers.clear()
        self._value.clear()
        if len(self.fields) > MOST_FIELDS:
            raise S3Error("MalformedPOSTRequest", f"There may be {MOST_FIELDS} fields.")

    def _grow(self, into: bytearray, data: bytes) -> None:
        self._size += len(data)
        if self._size > MOST_BYTES:
            raise S3Error("MaxMessageLengthExceeded", "The fields of the form are too large.")
        into += data

    def _header_end(self) -> None:
        name, value = (bytes(each).decode("utf-8", "replace") for each in self._header)
        self._headers[name.lower()] = value
        for each in self._header:
            each.clear()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace").lower()
        if self._name == "file" and not self.begun:
            self.begun = True
            filename = options.get(b"filename", b"").decode("utf-8", "replace")
            self.filename = filename.replace("\\", "/").rpartition("/")[2]

    def _data(self, data: bytes) -> None:
        if self._name == "file" and not self.ended:
            self._pieces.append(data)
        elif not self.begun:
            self._grow(self._value, data)

    def _end(self) -> None:
        if self.begun:
            self.ended = True
        elif self._name:
            self.fields[self._name] = bytes(self._value).decode("utf-8", "replace")


def form_of(content_type: str) -> Form:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 70:  # noqa: PLR2004 - RFC 2046
        raise S3Error("MalformedPOSTRequest", "Content-Type must be multipart/form-data.")
    form = Form()
    form._parser = MultipartParser(boundary, form.callbacks())  # noqa: SLF001 - its maker
    return form
