"""What a session has set, told where it first matters: tools set the same again and again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dayfly.database.sqltext import significant

_ALWAYS_LOCAL = frozenset({"constraints", "transaction"})


@dataclass
class SessionSettings:
    """Of one session: what is set and not told yet, and what was told."""

    _waiting: dict[str, str] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)

    def with_work(self, statements: Iterable[str]) -> Iterator[str]:
        """The statements of one transaction, each after the settings that it is the first to need.

        Settings that no work follows are left for the next transaction; local ones end with theirs.
        """
        local: list[str] = []
        for text in statements:
            name = _session_wide(text)
            if name:
                self._waiting[name] = text
            elif _is_setting(text):
                local.append(text)
            else:
                yield from (*self._new(), *local, text)
                local = []

    def _new(self) -> list[str]:
        new = {name: text for name, text in self._waiting.items() if self._told.get(name) != text}
        if "all" in new:
            self._told.clear()
        self._told |= new
        self._waiting.clear()
        return list(new.values())


def _session_wide(text: str) -> str:
    """The name of what a statement sets for the session; empty for any other statement."""
    words = [token.word for token in significant(text[:300])]
    if words[:2] == ["select", "set_config"] or "set_config" in words[:5]:
        return "" if text.rstrip(" )").endswith("true") else "search_path"
    if not _is_setting(text) or words[1:2] == ["local"] or _ALWAYS_LOCAL & set(words[1:2]):
        return ""
    names = [word for word in words[1:] if word not in {"session", "authorization"}]
    if "authorization" in words[1:3]:
        return "authorization"
    return names[0] if names else ""


def _is_setting(text: str) -> bool:
    words = [token.word for token in significant(text[:300])]
    return words[:1] in (["set"], ["reset"]) or "set_config" in words[:5]
