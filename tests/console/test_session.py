import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.console.session import CODE_SECONDS, SESSION_SECONDS, Sessions

KEY = b"k" * 32


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(KEY, clock=clock)


def entered(sessions: Sessions) -> str:
    value = sessions.enter(sessions.code())
    assert value
    return value


def test_a_code_opens_one_session(sessions: Sessions) -> None:
    code = sessions.code()

    assert sessions.knows(sessions.enter(code) or "")
    assert sessions.enter(code) is None


def test_a_code_is_good_for_ten_minutes(sessions: Sessions, clock: Clock) -> None:
    code = sessions.code()
    clock.now += CODE_SECONDS

    assert sessions.enter(code) is None


def test_a_session_ends_after_twelve_hours(sessions: Sessions, clock: Clock) -> None:
    value = entered(sessions)
    clock.now += SESSION_SECONDS - 1
    assert sessions.knows(value)
    clock.now += 1
    assert not sessions.knows(value)


def test_a_session_outlives_the_server_but_not_its_key(sessions: Sessions, clock: Clock) -> None:
    value = entered(sessions)

    assert Sessions(KEY, clock=clock).knows(value)
    assert not Sessions(b"x" * 32, clock=clock).knows(value)


def test_two_environments_on_one_host_do_not_share_a_cookie() -> None:
    assert Sessions(b"a" * 32).cookie != Sessions(b"b" * 32).cookie
    assert Sessions(KEY, secure=True).cookie.startswith("__Host-")


@pytest.mark.parametrize("who", ["", "ada@desk", "é 中.文", "x" * 200])
def test_a_session_says_whose_it_is(sessions: Sessions, who: str) -> None:
    value = sessions.enter(sessions.code(who))
    assert value

    assert sessions.knows(value)
    assert sessions.who(value) == who[:100]


def test_a_session_of_before_has_no_name(sessions: Sessions) -> None:
    assert sessions.who("1700000000.abc.signature") == ""


@given(st.text())
def test_nothing_made_up_is_a_session(value: str) -> None:
    assert not Sessions(KEY).knows(value)


@given(st.integers(min_value=0, max_value=60), st.integers(min_value=1, max_value=255))
def test_a_changed_session_is_none(place: int, change: int) -> None:
    value = entered(Sessions(KEY))
    place %= len(value)
    changed = value[:place] + chr(ord(value[place]) ^ change) + value[place + 1 :]

    assert not Sessions(KEY).knows(changed)


def test_a_seal_is_of_one_session(sessions: Sessions) -> None:
    mine, other = entered(sessions), entered(sessions)
    seal = sessions.seal(mine)

    assert sessions.sealed(mine, seal)
    assert not sessions.sealed(other, seal)
    assert not sessions.sealed(mine, "é")
    assert not Sessions(b"x" * 32).sealed(mine, seal)
    assert not sessions.knows(f"{mine}.{seal}")
