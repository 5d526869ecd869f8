from ports import free_port


def test_a_port_that_was_given_is_not_given_again_at_once() -> None:
    given = [free_port() for _ in range(100)]
    assert len(set(given[:100])) == 100
    start = free_port(row=3)
    assert not {start, start + 1, start + 2} & set(given)
