"""Seven changes of a schema under load: what is promised of each, and what really happened."""

from stories.scene import Scene, scene
from stories.told import STORIES, Story

__all__ = ["STORIES", "Scene", "Story", "scene"]
