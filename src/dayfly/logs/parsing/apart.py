"""Whether each line of a body is an object of its own, without a look into the objects."""

import numpy as np

_END, _LAST, _FIRST = b"\n}{"


def breaks(body: bytes) -> int:
    """How many line breaks there are, where each surely ends an object and begins the next.

    Else -1. Inside of an object there is no such place: where it goes on after a `}`, no `{` comes.
    So there are as many objects as lines, or some line has more than one. numpy looks sooner than
    `bytes` does.
    """
    data = np.frombuffer(body, dtype=np.uint8)
    ends = np.flatnonzero(data[:-1] == _END)
    if not len(ends):
        return 0
    between = ends[0] > 0 and (data[ends - 1] == _LAST).all() and (data[ends + 1] == _FIRST).all()
    return len(ends) if between else -1
