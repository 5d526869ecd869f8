"""The words and numbers of other loggers, in our five levels."""

_WORDS = {
    "debug": "trace debug fine finer finest verbose silly config "
    "debug1 debug2 debug3 debug4 debug5",
    "info": "info information informational notice log statement detail hint query "
    "context http success",
    "warning": "warn warning",
    "error": "error err severe failure eror",
    "critical": "critical crit fatal panic alert emerg emergency dpanic",
}
LEVELS = {word: level for level, words in _WORDS.items() for word in words.split()}
_WRITTEN = LEVELS | {word.upper(): level for word, level in LEVELS.items()}
_SYSLOG = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
_HIGHEST, SERVER_ERROR = 100, 500
# Words that in capitals at the beginning of a line can mean nothing else.
CLEAR = "TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL|PANIC|ALERT|EMERG"


def of_word(word: str) -> str:
    """Empty when it is no level."""
    return _WRITTEN.get(word) or LEVELS.get(word.strip().lower(), "")


def of_number(number: float) -> str:
    """As pino and bunyan count: 10 is trace, 60 is fatal."""
    if not 0 < number <= _HIGHEST:
        return ""
    steps = ((60, "critical"), (50, "error"), (40, "warning"), (30, "info"))
    return next((level for least, level in steps if number >= least), "debug")


def of_severity(number: int) -> str:
    """As syslog counts: 0 is an emergency, 7 is debug."""
    return _SYSLOG[number & 7]


def of_status(status: int) -> str:
    """Of an answer in HTTP."""
    return "error" if status >= SERVER_ERROR else "info"
