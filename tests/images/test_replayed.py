"""Images that are built again, with another version of the app and other secrets."""

from dataclasses import replace

import pytest

from dayfly.config.image import ImageRecipe, Provision
from workshop import workshop

PYPROJECT = """\
[build-system]
requires = ["setuptools>=70"]
build-backend = "setuptools.build_meta"
[project]
name = "orders"
version = "VERSION"
dependencies = ["six"]
[tool.setuptools]
py-modules = ["app"]
"""


@pytest.mark.docker
def test_a_lock_counts_for_what_the_app_needs_and_neither_for_itself_nor_its_build() -> None:
    recipe = ImageRecipe(provision=(Provision(shell="true"),))
    with workshop("docker") as shop:
        shop.project.write("pyproject.toml", PYPROJECT.replace("VERSION", "1.0"))
        first = shop.builder.contents(shop.build(replace(shop.app("pip install ."), image=recipe)))
        assert first.lock.pip.keys() == {"six"}
        lock = replace(first.lock, pip={"six": "1.16.0"}).text
        shop.project.write("image.lock", lock)
        shop.project.write("pyproject.toml", PYPROJECT.replace("VERSION", "1.1"))
        recipe = replace(recipe, lock="image.lock")
        again = shop.builder.contents(shop.build(replace(shop.app("pip install ."), image=recipe)))

    assert first.pip["orders"] == "1.0"
    assert again.pip == {**first.pip, "orders": "1.1", "six": "1.16.0"}
    assert not any(name.startswith("opt/dayfly") for name in again.files)
