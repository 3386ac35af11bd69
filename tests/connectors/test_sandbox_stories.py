"""What went over the wire once goes over it today: a cassette shows a change of the connector that nobody meant."""

from __future__ import annotations

from typing import Any

import pytest

from aios_connect.cassettes import Player, load

from .sandbox_stories import STORIES, Story, tell


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest) -> Story:
    return STORIES[request.param]


def told(story: Story) -> dict[str, Any]:
    with Player(story.cassette) as player:
        return tell(story, story.connector(story.vendor(), through=player))


def test_the_story_of_a_contact_is_played_as_it_was_recorded(story: Story) -> None:
    came = told(story)
    assert came["outcomes"] == ["written", "written", "conflict", "written"]
    assert came["before"] > 1
    assert "+44 20 7946 0958" in str(came["there"])
    assert came["after"] == []


def test_a_cassette_that_a_fake_answered_says_so(story: Story) -> None:
    assert load(story.cassette).origin == f"sandbox {story.provider}, made-up data"
