"""What a provisioner that changes something again is told."""

from dayfly.images.builder import BuildError


def not_idempotent(title: str, named: list[str], *, what: str = "task") -> BuildError:
    names = list(dict.fromkeys(named))
    are = f"a {what} that is" if len(names) == 1 else f"{what}s that are"
    return BuildError(
        f"{title} has {are} not idempotent: {', '.join(map(repr, names))} changed something again"
        " in the second run",
        hint="Let it find out whether there is something to do (creates, changed_when, unless),"
        " or set `second_run = false` for this step.",
    )
