"""XML that somebody sent: no DTD (so no entities, no bombs), not deep, not large."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from dayfly.files.s3.problem import S3Error

MOST_DEPTH = 16
MOST_ELEMENTS = 50_000  # 10,000 parts with their ETags and checksums


@dataclass(slots=True)
class Element:
    """`name` is without its namespace; `attributes` too."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: "list[Element]" = field(default_factory=list)

    def all(self, name: str) -> "list[Element]":
        return [each for each in self.children if each.name == name]

    def first(self, name: str) -> "Element | None":
        return next((each for each in self.children if each.name == name), None)

    def said(self, name: str) -> str | None:
        """The text of a child; None where it is absent."""
        found = self.first(name)
        return None if found is None else found.plain.strip()

    def exactly(self, name: str) -> str:
        """A key, which may begin and end with spaces; empty where it is absent."""
        found = self.first(name)
        return "" if found is None else found.plain

    def need(self, name: str) -> str:
        said = self.said(name)
        if said is None:
            raise malformed(f"<{self.name}> has no <{name}>.")
        return said

    def flag(self, name: str) -> bool:
        """False where it is absent."""
        said = self.said(name)
        if said is not None and said.lower() not in ("true", "false"):
            raise malformed(f"<{name}> is {said[:40]!r}, allowed are true and false.")
        return said is not None and said.lower() == "true"

    def only(self, *once: str, many: Sequence[str] = ()) -> "Element":
        """Itself; MalformedXML where it says more than is read, which might have mattered."""
        names = [each.name for each in self.children]
        for name in names:
            if name not in (*once, *many):
                allowed = ", ".join(f"<{each}>" for each in (*once, *many))
                raise malformed(f"<{self.name}> has <{name[:100]}>, allowed are {allowed}.")
            if name in once and names.count(name) > 1:
                raise malformed(f"<{self.name}> has <{name}> twice.")
        return self

    @property
    def plain(self) -> str:
        """The text of an element that has nothing else."""
        if self.children:
            raise malformed(f"<{self.name}> has <{self.children[0].name[:100]}>, allowed is text.")
        return self.text


@dataclass
class _Tree:
    root: Element | None = None
    path: list[Element] = field(default_factory=list)
    count: int = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.path) >= MOST_DEPTH or self.count > MOST_ELEMENTS:
            raise malformed("It is too deep or has too many elements.")
        plain = {_local(each): value for each, value in attributes.items()}
        found = Element(_local(name), plain)
        if self.path:
            self.path[-1].children.append(found)
        else:
            self.root = found
        self.path.append(found)

    def end(self, _: str) -> None:
        self.path.pop()

    def characters(self, text: str) -> None:
        self.path[-1].text += text


def element_of(body: bytes, name: str = "") -> Element:
    """MalformedXML where it is none, or its root is not `name`."""
    tree = _Tree()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = tree.begin
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.characters
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise malformed(f"It is no XML: {error}") from error
    if tree.root is None or (name and tree.root.name != name):
        found = tree.root.name if tree.root else "nothing"
        raise malformed(f"Found <{found[:100]}>, allowed is <{name}>.")
    return tree.root


def malformed(why: str) -> S3Error:
    return S3Error("MalformedXML", f"The XML is not as it must be. {why}")


def _refuse(*_: object) -> None:
    raise malformed("It has a DTD.")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
