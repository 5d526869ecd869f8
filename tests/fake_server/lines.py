"""Records for the logs page, among them such as were written to do harm there."""

from collections.abc import Mapping
from typing import Any

from asked import NOW

SECOND = 10**9
NOW_NS = int(NOW) * SECOND
HOUR = 3600 * SECOND
ATTACKS = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=1">',
    "' onmouseover='document.title=1",
    "</summary></details></li></ol><h1>owned</h1>",
    "{{ 7 * 7 }} {% raw %} ${7*7} <!-- more -->",
    "javascript:document.title=1",
    "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066",
    "</textarea><svg/onload=document.title=1>",
    "<a href='https://evil.example'>a link</a>\x00\x85\ue000\ue001",
    "é 中文 😀 <b>bold</b> &lt;already&gt; &amp;",
)


def record(number: int, message: str = "", **told: object) -> Mapping[str, Any]:
    usual = {"app": "orders", "release": 12, "machine": "orders-12-web-1", "stream": "stdout"}
    return {
        "time": NOW_NS - HOUR + number * SECOND,
        "message": message or f"line {number}",
        "level": "info",
        **usual,
        **told,
    }
