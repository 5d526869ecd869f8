"""Which files a step reads: in doubt all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.images.requirements import UnknownInputsError
from dayfly.images.steps import inputs_of, known_inputs, reader
from project import Project

SOURCE = {
    "requirements.txt": "gunicorn==23.0  # serves\nsix>=1; python_version > '3'\n",
    "dev.txt": "-r requirements.txt\n--requirement=reqs/more.txt\n",
    "reqs/more.txt": "-c limits.txt\n-rbase.txt\nuvicorn[standard]\n",
    "reqs/base.txt": "psycopg \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\n",
    "reqs/limits.txt": "six<2\n",
    "circle.txt": "-r circle.txt\nsix\n",
    "url.txt": "thing @ https://example.org/thing-1.tar.gz\ngit+https://example.org/x.git@v1\n",
    "self.txt": "six\n.\n",
    "editable.txt": "-e .\n",
    "wheel.txt": "wheels/six-1.16-py3-none-any.whl\n",
    "file.txt": "six @ file:///srv/six\n",
    "found.txt": "--find-links wheels\nsix\n",
    "outside.txt": "-r ../other.txt\n",
    "missing.txt": "-r nowhere.txt\n",
    "variable.txt": "https://${TOKEN}@example.org/x.tar.gz\n",
    "package.json": '{"main": "./index.js", "dependencies": {"left-pad": "^1"}}',
    "package-lock.json": "{}",
    "front/package.json": '{"scripts": {"build": "vite"}}',
    "hooks/package.json": '{"scripts": {"postinstall": "node patch.js"}}',
    "linked/package.json": '{"dependencies": {"mine": "file:../mine"}}',
    "spaces/package.json": '{"workspaces": ["a"]}',
    "pyproject.toml": '[project]\nname = "orders"\ndependencies = ["six"]\n',
    "uv.lock": "",
    "poetry.lock": "",
    "Gemfile": 'source "https://example.org"\ngem "rack"\n',
    "Gemfile.lock": "",
    ".bundle/config": 'BUNDLE_WITHOUT: "test"\n',
    "native/package.json": "{}",
    "native/binding.gyp": "{}",
}  # fmt: skip
MORE = ("dev.txt", "reqs/base.txt", "reqs/limits.txt", "reqs/more.txt", "requirements.txt")


@pytest.mark.parametrize(
    ("step", "inputs"),
    [
        ("pip install -r requirements.txt", ("requirements.txt",)),
        ("pip3 install --no-cache-dir -r ./requirements.txt", ("requirements.txt",)),
        ("python -m pip install -q --requirement=requirements.txt", ("requirements.txt",)),
        ("python3.11 -m pip install -r requirements.txt", ("requirements.txt",)),
        ("uv pip install -r requirements.txt", ("requirements.txt",)),
        ("pip install -r dev.txt", MORE),
        ("pip install -r circle.txt -c reqs/limits.txt", ("circle.txt", "reqs/limits.txt")),
        ("pip install -r url.txt", ("url.txt",)),
        ("pip install gunicorn==23.0 uvicorn[standard]", ()),
        ("pip install 'six>=1.16' \"flask<4\"", ()),
        ("pip install -i https://example.org/simple six", ()),
        ("pip install --upgrade pip", ()),
        ("npm ci", ("package-lock.json", "package.json")),
        ("npm install --omit=dev", ("package-lock.json", "package.json")),
        ("npm ci --prefix front", ("front/package.json",)),
        ("uv sync --frozen --no-install-project", ("pyproject.toml", "uv.lock")),
        ("poetry install --no-root", ("poetry.lock", "pyproject.toml")),
        ("npm ci --prefix native --ignore-scripts", ("native/package.json",)),
        ("bundle install", (".bundle/config", "Gemfile", "Gemfile.lock")),
        ("bundle install --jobs=4", (".bundle/config", "Gemfile", "Gemfile.lock")),
    ],
)
def test_inputs_are_known(step: str, inputs: tuple[str, ...]) -> None:
    assert inputs_of(step, SOURCE.get) == inputs


@pytest.mark.parametrize(
    "step",
    [
        "pip install .",
        "pip install -e .",
        "pip install -e.[dev]",
        "pip install ./vendor/six",
        "pip install vendor/six",
        "pip install six.whl",
        "pip install 'six @ file:///srv/six'",
        "pip install 'six@../six'",
        "pip install --find-links wheels six",
        "pip install --target lib six",
        "pip install -r",
        "pip install -r self.txt",
        "pip install -r editable.txt",
        "pip install -r wheel.txt",
        "pip install -r file.txt",
        "pip install -r found.txt",
        "pip install -r outside.txt",
        "pip install -r missing.txt",
        "pip install -r variable.txt",
        "pip install -r ../requirements.txt",
        "pip install -r /etc/requirements.txt",
        "pip install -r https://example.org/requirements.txt",
        "pip install -r requirements.txt && make",
        "pip install -r requirements.txt; make",
        "pip install -r requirements.txt\nmake",
        "pip install -r $FILE",
        'pip install -r "$FILE"',
        "pip install -r `ls *.txt`",
        "pip install -r *.txt",
        "pip install six>=1",
        "pip install 'unclosed",
        "pip download six",
        "cd front && npm ci",
        "npm ci --prefix hooks",
        "npm ci --prefix linked",
        "npm ci --prefix spaces",
        "npm ci --prefix nowhere",
        "npm ci --prefix native",
        "npm install --global",
        "npm install left-pad",
        "npm run build",
        "uv sync",
        "uv sync --no-install-project ; make",
        "uv sync --no-install-project --project=api",
        "poetry install",
        "poetry install --no-root --directory=api",
        "poetry install --no-root -Capi",
        "bundle install --gemfile=api/Gemfile",
        "python manage.py collectstatic --noinput",
        "make",
        "",
    ],
)
def test_in_doubt_the_whole_source_is_read(step: str) -> None:
    assert inputs_of(step, SOURCE.get) is None


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=5), st.text(max_size=60)))
def test_any_step_is_judged_and_names_only_files_that_are_there(
    step: str, files: dict[str, str]
) -> None:
    source = {**SOURCE, **files, "requirements.txt": "".join(files.values())}
    for asked in (step, "pip install -r requirements.txt", f"pip install {step}"):
        assert set(inputs_of(asked, source.get) or ()) <= set(source)


def test_only_leading_steps_count(project: Project) -> None:
    project.write("requirements.txt", "six")
    steps = ("pip install -r requirements.txt", "pip install wheel", "make", "pip install six")
    assert known_inputs(steps, project.folder) == (("requirements.txt",), ())


def test_a_link_is_not_followed(project: Project) -> None:
    (project.folder / "requirements.txt").symlink_to("/etc/hostname")
    (project.folder / "reqs").symlink_to("/etc")
    read = reader(project.folder)
    for path in ("requirements.txt", "reqs/hostname"):
        with pytest.raises(UnknownInputsError):
            read(path)


def test_what_a_bundle_takes_from_the_source_is_not_known(project: Project) -> None:
    project.write("Gemfile", SOURCE["Gemfile"])
    assert known_inputs(["bundle install"], project.folder) == (("Gemfile",),)
    project.write(".bundle/config", 'BUNDLE_GEMFILE: "api/Gemfile"\n')
    assert known_inputs(["bundle install"], project.folder) == ()
    project.write(".bundle/config", "")
    project.write("vendor/cache/rack-3.gem", "")
    assert known_inputs(["bundle install"], project.folder) == ()
