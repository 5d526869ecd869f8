"""Durations and sizes as people write them: `30s`, `10m`, `256MB`."""


class Duration(float):
    """Seconds. Written as a number with ms, s, m, h or d; a bare number is refused."""


class Size(int):
    """Bytes. Written with B, KB, MB, GB or TB (powers of 1024, as `docker run` reads them)."""
