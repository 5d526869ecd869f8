"""What a process takes, as the kernel counts it."""

from pathlib import Path

from dayfly.machines import proc

MB = 1024 * 1024


def pss(pid: int) -> float:
    """MB, what it shares with others counted in parts."""
    return proc.memory_of([pid]) / MB


def peak(pid: int) -> float:
    """MB, the most that it had of its own so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cpu(pid: int) -> float:
    """Seconds so far."""
    return proc.cpu_of([pid])
