"""Keys as paths: an ordinary key is its own path, an awkward one is escaped, reversibly.

Within a segment `%XX` is a byte. What no name can be, or what would be another name, has a sign
that no byte has:

    %_     an empty segment: of a leading, doubled or trailing slash
    …%+    a segment over 255 bytes, which goes on in the folder of that name
    …%=    a folder whose name a file has already: the key "a" is there, and now "a/b" comes
    …%.    a file whose name a folder has already: the key "a/b" is there, and now "a" comes

A literal `%` is escaped only where it would be read as one of these.
"""

import re

from dayfly.files.errors import BadNameError

LONGEST_KEY = 1024  # bytes of UTF-8, as S3 has it
LONGEST_NAME = 255  # bytes, of nearly every file system
EMPTY, ON, BESIDE_FILE, BESIDE_FOLDER = "%_", "%+", "%=", "%."
_ROOM = LONGEST_NAME - len(BESIDE_FILE)
_SIGN = re.compile(r"%(?=[0-9A-F]{2}|[_+=.])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RESERVED = {".", "..", ".dayfly"}
_BYTES = re.compile(r"(?:%[0-9A-F]{2})+")


def check_key(key: str) -> None:
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise BadNameError(f"key {key!a}: is not UTF-8") from error
    if not 0 < length <= LONGEST_KEY:
        raise BadNameError(f"a key has 1 to {LONGEST_KEY} bytes of UTF-8, not {length}")


def unfit(key: str) -> str:
    """Why no object may be called so; empty where one may."""
    try:
        check_key(key)
    except BadNameError as error:
        return error.message
    return ""


def path_of(key: str, *, fold: bool = False) -> str:
    """`fold` is for a file system to which `A` and `a` are one name: capitals are escaped."""
    return "/".join(_segment(segment, fold=fold) for segment in key.split("/"))


def key_of(path: str, *, fold: bool = False) -> str | None:
    """The key that lies at a path; None where none would be put there."""
    *folders, name = path.split("/")
    plain = [*(folder.removesuffix(BESIDE_FILE) for folder in folders)]
    plain.append(name.removesuffix(BESIDE_FOLDER))
    whole = "/".join(plain)
    try:
        segments = [_read(each) for each in whole.replace(f"{ON}/", "").split("/")]
        key = "/".join(segments)
        check_key(key)
    except (UnicodeDecodeError, BadNameError):
        return None
    return key if path_of(key, fold=fold) == whole else None


def _segment(segment: str, *, fold: bool) -> str:
    if not segment:
        return EMPTY
    if segment in _RESERVED:
        return segment.replace(".", "%2E")
    name = _SIGN.sub("%25", segment)
    if fold or _CONTROL.search(name):
        name = "".join(_hex(each) if _awkward(each, fold=fold) else each for each in name)
    return name if len(name.encode()) <= _ROOM else _chunks(name)


def _awkward(letter: str, *, fold: bool) -> bool:
    return bool(_CONTROL.match(letter)) or (fold and letter != letter.casefold())


def _chunks(name: str) -> str:
    chunks, length = [""], 0
    for each in name:
        length += len(each.encode())
        if length > _ROOM:
            chunks.append("")
            length = len(each.encode())
        chunks[-1] += each
    *before, last = chunks
    if last in _RESERVED:
        last = last.replace(".", "%2E")
    return f"{ON}/".join([*before, last])


def _hex(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _read(name: str) -> str:
    return "" if name == EMPTY else _BYTES.sub(lambda found: _bytes(found[0]), name)


def _bytes(signs: str) -> str:
    return bytes.fromhex(signs.replace("%", "")).decode()
