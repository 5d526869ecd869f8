"""Seven changes of a schema under load; the campaign `stories` runs them again and again."""

import pytest

from stories import STORIES, Story
from workshop import open_folder, postgresql

pytestmark = [
    pytest.mark.acceptance, pytest.mark.haproxy, pytest.mark.postgres, pytest.mark.timeout(300),
]  # fmt: skip


@pytest.mark.sampled(3)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_no_request_fails_where_the_verdict_promises_it(story: Story) -> None:
    postgresql()
    with open_folder() as folder:
        figures = story.run(folder, 1)

    assert figures["failed"] == []
