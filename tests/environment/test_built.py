"""A fleet against its image: what a person and a program are told."""

from dayfly.cli.images import about_image, between_images, between_machines, rows_of_images
from dayfly.cli.output import plain
from dayfly.config.app import App, Files, Logs
from dayfly.environment.built import compared
from dayfly.images.contents import Contents
from dayfly.machines.machine import Fingerprint, Machine
from dayfly.release.drift import mutable_of

BUILT = Contents(files={"app/a": "file 0444 " + 64 * "a", "app/log": "folder"})


def machine(number: int, process: str = "web") -> Machine:
    return Machine(
        name=f"orders-2-{process}-{number}", app="orders", release=2, process=process,
        kind="process", address=None, state="running",
    )  # fmt: skip


def print_of(files: dict[str, str], user: str = "10001") -> Fingerprint:
    holds = Contents(files={**BUILT.files, **files})
    return Fingerprint(contents=holds, bounds={"user": user}, outside=("app/log",))


def test_paths_that_are_the_machines_own() -> None:
    app = App(
        app="orders",
        keep=("uploads",),
        writable=("var",),
        logs=Logs(files=("log/*.log",)),
        files=Files(collect={"exports/*.csv": "exports"}, mount={"/app/shared": "shared"}),
    )
    assert mutable_of(app) == ("uploads", "shared", "var", "exports", "log")


def test_a_machine_that_drifted_is_told_apart_from_its_equals() -> None:
    fleet = [machine(1), machine(2), machine(3), machine(1, "worker")]
    prints = [
        print_of({"app/log/x": "file"}),
        print_of({"app/a": "file 0444 " + 64 * "b"}),
        print_of({}, user="0"),
        print_of({}, user="10002"),  # another process may have other bounds
    ]
    rows = compared(BUILT, fleet, prints, {})
    assert [len(row["differences"]) for row in rows] == [0, 1, 1, 0]
    assert len({row["fingerprint"] for row in rows[:3]}) == 3
    assert rows[1]["differences"][0]["name"] == "/app/a"
    assert rows[2]["differences"] == [
        {"kind": "setting", "name": "user", "wanted": "10001", "found": "0"}
    ]
    value = {"app": "orders", "release": 2, "image": "k", "identical": False, "machines": rows}
    told = "\n".join(map(plain, between_machines(value)))
    assert "orders-2-web-1" in told
    assert "as built" in told
    assert "1 difference\n" in told
    assert "~ file /app/a  file 0444 aaaaaaaaaaaa → file 0444 bbbbbbbbbbbb" in told
    assert "~ setting user  10001 → 0" in told


def test_equal_machines_have_one_fingerprint() -> None:
    rows = compared(
        BUILT, [machine(1), machine(2)], [print_of({"app/log/x": "file"}), print_of({})], {}
    )
    assert rows[0]["fingerprint"] == rows[1]["fingerprint"]


def test_images_as_a_person_reads_them() -> None:
    row = {
        "image": "0123456789abcdef", "app": "orders", "commit": "c0ffee", "releases": [2, 3],
        "runtime": "docker", "size": 250 * 1024**2, "layer_count": 4, "ready_seconds": 2.5,
    }  # fmt: skip
    assert "2, 3" in plain(rows_of_images([row])[-1])
    assert rows_of_images([]) == ["No images yet."]
    whole = {
        **row, "fingerprint": "f", "files": 12000,
        "configuration": {"user": "10001", "a_variable_with_a_long_name": "1"},
        "layers": [{"about": "packages nginx", "size": 1024**2}], "packages": {"nginx": "1.22"},
        "python_packages": {}, "users": {}, "lock": "",
    }  # fmt: skip
    told = "\n".join(map(plain, about_image(whole)))
    for word in ("250 MB", "12,000", "packages nginx", "nginx  1.22", "packages (1)",
                 "a_variable_with_a_long_name  1"):  # fmt: skip
        assert word in told
    many = [{"kind": "file", "name": f"/{n}", "one": None, "other": "file"} for n in range(50)]
    value = {"releases": [2, 3], "images": ["a", "b"], "sizes": [1, 2], "differences": many}
    assert "and 10 more of the kind file; --json has all" in "\n".join(between_images(value))
