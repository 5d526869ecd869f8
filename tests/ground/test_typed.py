"""Our own types, learned by many threads at once."""

import subprocess
import sys

import pytest

# Classes that nobody has decoded yet, each by six threads at the same moment.
RACE = """
import dataclasses, sys, threading
import msgspec
from dayfly import typed

def decode(text, kind):
    return {how}

sys.setswitchinterval(1e-6)
fields = [f"f{{number}}" for number in range(20)]
text = msgspec.json.encode({{name: {{each: 1 for each in fields}} for name in fields}})
for number in range(150):
    inner = dataclasses.make_dataclass(f"Inner{{number}}", [(name, int) for name in fields])
    kind = dataclasses.make_dataclass(f"Kind{{number}}", [(name, inner) for name in fields])
    start = threading.Barrier(6)
    threads = [
        threading.Thread(target=lambda: (start.wait(), decode(text, kind))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.parametrize(
    "how", ["typed.decode(text, kind)", "typed.converted(typed.plain(text), kind)"]
)
def test_a_class_that_many_threads_meet_first_crashes_none(how: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", RACE.format(how=how)], capture_output=True, check=False, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
