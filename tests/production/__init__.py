"""A whole environment in a temporary home, in the words of a test.

with production.running(tmp_path) as prod:
    orders = projects.project(prod.folder / "kinds")
    prod.release(orders, orders.commit())
    assert_serving(prod, 1)
"""

from production.checks import assert_nothing_left_over, assert_serving, left_over
from production.environment import Production, Ran, running
from production.projects import Project, project

__all__ = [
    "Production",
    "Project",
    "Ran",
    "assert_nothing_left_over",
    "assert_serving",
    "left_over",
    "project",
    "running",
]
