"""What a process takes, as the kernel counts it."""

from dayfly.machines import proc

MB = 1024 * 1024


def pss(pid: int) -> float:
    """MB, what it shares with others counted in parts."""
    return proc.memory_of([pid]) / MB


def cpu(pid: int) -> float:
    """Seconds so far."""
    return proc.cpu_of([pid])
