"""What a person types."""

import sys

from dayfly.errors import DayflyError, UsageError

INTERRUPTED = 130


def main() -> None:
    """The edge: the one place that tells errors to a person and chooses the exit status.

    0 done, 1 refused or failed, 2 wrong usage.
    """
    from dayfly.cli import output  # noqa: PLC0415 - an interrupt while importing is handled too

    try:
        status = _run(sys.argv[1:])
        output.flush()
    except BrokenPipeError:
        output.forget_stdout()  # nobody reads on: not worth a word
        status = 1
    except KeyboardInterrupt:
        status = INTERRUPTED
    except DayflyError as error:
        _debug()
        output.error(error.message, error.hint)
        status = 2 if isinstance(error, UsageError) else 1
    except Exception as error:  # noqa: BLE001 - the edge: a defect of ours is told, not thrown
        _debug()
        what = f"{type(error).__name__}: {error}"
        hint = "This is a defect of Dayfly. DAYFLY_DEBUG=1 shows where; please report it."
        output.error(f"Unexpected: {what}", hint)
        status = 1
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    from dayfly.cli.commands import run  # noqa: PLC0415

    return run(arguments)


def _debug() -> None:
    """With DAYFLY_DEBUG, let the traceback through."""
    from dayfly.config.inherited import debug  # noqa: PLC0415

    if debug():
        raise  # noqa: PLE0704 - called while an error is handled
