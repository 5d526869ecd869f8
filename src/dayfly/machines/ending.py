"""How a machine ended, in a few words."""

import signal

SIGNALLED = 128
NEVER_STARTED = "was never started"
WORDS = {126: " (not executable)", 127: " (command not found)"}


def reason_of(status: int | None, *, out_of_memory: bool) -> str:
    """`status` as a shell tells it: 128 + number after a signal; None when nobody saw the end."""
    if out_of_memory and status != 0:
        return "out of memory"
    if status is None:
        return "ended unseen: killed, or the host was restarted"
    if status > SIGNALLED and (name := _signal_name(status - SIGNALLED)):
        return name
    return f"exit status {status}{WORDS.get(status, '')}"


def _signal_name(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
