"""How a machine's command is given to the shell, so that SIGTERM reaches the app itself.

A shell that waits for its command would take the signal and die alone, and a container dies with
it: open requests would be lost. So one plain command takes the shell's place and hears the signal
alone, as application servers and task queues expect. With anything more the shell stays, the
whole group hears the signal, and the shell ends after the command it waits for.
"""

import re
import shlex
from dataclasses import dataclass

OPERATORS = "();<>|&\n"
ASSIGNMENTS = re.compile(r"\s*(?:[A-Za-z_]\w*=(?:'[^']*'|\"[^\"]*\"|[^\s'\"])*\s+)*")
OF_THE_SHELL = frozenset(
    re.split(
        r"\s+",
        ". : [ ! { alias bg break case cd command continue echo eval exit export false fg for"
        " getopts hash if jobs kill local printf pwd read readonly return set shift test times"
        " trap true type ulimit umask unalias unset until wait while",
    )
)


@dataclass(frozen=True)
class Script:
    text: str
    alone: bool  # one process, which alone hears SIGTERM


def script_of(run: str) -> Script:
    """What the shell is told: `gunicorn x:app` becomes `exec gunicorn x:app`."""
    start = ASSIGNMENTS.match(run)
    at = start.end() if start else 0
    words = _words(run[at:])
    if not words or words[0] in OF_THE_SHELL or "=" in words[0]:
        return Script(f"trap 'exit 143' TERM\n{run}", alone=False)
    if words[0] == "exec":
        return Script(run, alone=True)
    return Script(f"{run[:at]}exec {run[at:]}", alone=True)


def _words(command: str) -> list[str]:
    """Of one plain command; none when there is more to it, or a quote is open."""
    lexer = shlex.shlex(command.strip(), posix=True, punctuation_chars=OPERATORS)
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return []
    return [] if any(word and set(word) <= set(OPERATORS) for word in words) else words
