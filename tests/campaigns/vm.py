"""A release as a virtual machine, booted once: it serves what its container serves.

Beside the answers: what the process was given, who it is and what it may, and each file.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import apps
from dayfly.command import Setting, output_of
from dayfly.config.home import environment_id
from dayfly.images.engine import docker
from dayfly.images.exported import contents_of_image
from dayfly.images.vm.sameness import added, fingerprints, unlike
from production import Production, running
from virtual import booted, drive_of, found_on, has_kvm

SECRET = 'it\'s a \\"secret\\", with $signs'
TOLD = 'it\'s a "secret", with $signs'
SETTINGS = """\
app      = "seen"
secrets  = ["TOKEN"]
keep     = ["uploads"]
writable = ["cache"]

[env]
GREETING = "hello, $USER"

[[image.provision]]
packages = ["openssh-server"]

[process.web]
run    = "python3 app.py web"
memory = "128MB"
health = { path = "/healthz", interval = "100ms" }

[process.worker]
run = "python3 app.py worker"

[release]
watch = "1s"
"""
APP = """\
import http.server, json, os, signal, sys, time
from pathlib import Path

def status():
    lines = Path("/proc/self/status").read_text().splitlines()
    pairs = dict(line.split(":", 1) for line in lines)
    names = ("Uid", "Gid", "Groups", "NoNewPrivs", "CapEff", "CapPrm", "CapBnd", "CapInh")
    return {name: " ".join(pairs[name].split()) for name in names}

def writes(path):
    try:
        Path(path, "written").write_text("x")
    except OSError as error:
        return error.strerror
    return "yes"

PLACES = ("/app", "/app/uploads", "/app/cache", "/tmp", "/etc", "/var/lib", "/root", "/usr")

def seen():
    return {
        "env": dict(os.environ), "status": status(), "folder": os.getcwd(),
        "writes": {place: writes(place) for place in PLACES},
        "cache": sorted(os.listdir("/app/cache")), "tmp": oct(os.stat("/tmp").st_mode),
    }

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = seen() if self.path == "/seen" else {"ok": True}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

def ended(*_):
    print(sys.argv[1], "got SIGTERM, goes", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, ended)
print(sys.argv[1], "begins", flush=True)
if sys.argv[1] == "web":
    http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
while True:
    time.sleep(60)
"""
# Of each machine; and a VM is not told of the archive, whose address leads to its host.
_OWN = ("DAYFLY_ENVIRONMENT", "DAYFLY_MACHINE", "DAYFLY_BUCKET", "HOSTNAME", "PORT")
_ARCHIVE = "AWS_"


def run(folder: Path, _seed: int, _budget: float) -> dict[str, Any]:
    """One boot, which can't be split: it begins anew each time."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="dayfly-vm-") as name:
        place = Path(name)
        place.chmod(0o755)
        with running(place, runtime="docker") as prod:
            figures = _story(prod, place, folder / "console")
    wanted = ("same_files", "same_seen", "refused_without_secret", "worker", "goes_whole")
    return {"held": all(figures["promises"][each] for each in wanted), "figures": figures}


def _story(prod: Production, place: Path, kept: Path) -> dict[str, Any]:
    release(prod, place / "seen")
    in_container = _seen_in_container(prod)
    disk = place / "seen.qcow2"
    began = time.monotonic()
    prod.typed("images", "vm", "1", "-o", str(disk))
    made = time.monotonic() - began
    files = _files(prod, disk, place)
    without = _without_secret(disk)
    drive = drive_of({"TOKEN": SECRET}, place / "secrets.img")
    began = time.monotonic()
    with booted(disk, drive) as guest:
        guest.until_healthy()
        ready = time.monotonic() - began
        in_vm = guest.get("/seen")
        time.sleep(3)
        memory = guest.memory()
        off = guest.power_off()
        console = guest.console
    kept.write_text(console)
    differ = _unlike(in_container, in_vm)
    return {
        "kvm": has_kvm(),
        "seconds": {"made": round(made, 1), "ready": round(ready, 2), "off": round(off, 2)},
        "bytes": {"disk": disk.stat().st_size, "memory_of_qemu": memory},
        "files": files,
        "differs_in_what_it_sees": differ,
        "promises": {
            "same_files": files["fingerprints"][0] == files["fingerprints"][1],
            "same_seen": not differ and in_vm["env"]["TOKEN"] == TOLD,
            "refused_without_secret": without,
            "worker": "worker begins" in console,
            "goes_whole": "web got SIGTERM, goes" in console,
        },
    }


def release(prod: Production, checkout: Path) -> None:
    checkout.mkdir()
    (checkout / "dayfly.toml").write_text(SETTINGS)
    (checkout / "app.py").write_text(APP)
    (checkout / "cache").mkdir()
    (checkout / "cache" / "first").write_text("of the image")
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "seen"]):
        output_of(["git", *apps.WHO, *words], setting=Setting(cwd=checkout))
    prod.up()
    prod.typed("secret", "set", "TOKEN", at=checkout, given=TOLD)
    prod.typed("release", at=checkout)


def _seen_in_container(prod: Production) -> Any:  # noqa: ANN401 - JSON
    with urlopen(f"{prod.url}/seen", timeout=10) as answer:
        return json.load(answer)


def _files(prod: Production, disk: Path, place: Path) -> dict[str, Any]:
    """Each file, read from the disk itself."""
    labels = f"label=dayfly.image.environment={environment_id(prod.home)}"
    [reference, *_] = docker("image", "ls", "--quiet", f"--filter={labels}").split()
    image = contents_of_image(reference)
    found = found_on(disk, place, image)
    return {
        "of_image": len(image.files),
        "of_vm": len(found.contents.files),
        "fingerprints": fingerprints(image, found.contents),
        "unlike": [each.as_json() for each in unlike(image, found.contents)][:20],
        "packages_added": added(image, found.contents),
    }


def _without_secret(disk: Path) -> bool:
    """It says which one is missing, and does not start the app."""
    with booted(disk) as guest:
        ends = time.monotonic() + 120
        while "no value for the secret TOKEN" not in guest.console and time.monotonic() < ends:
            time.sleep(0.2)
        return "no value for the secret TOKEN" in guest.console and "begins" not in guest.console


def _unlike(one: Any, other: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Of what two processes see, all that is not each machine's own."""
    told = {}
    for what in one:
        left, right = one[what], other[what]
        if what == "env":
            left, right = (
                {k: v for k, v in e.items() if k not in _OWN and not k.startswith(_ARCHIVE)}
                for e in (left, right)
            )
        if left != right:
            told[what] = {"container": left, "vm": right}
    return told
