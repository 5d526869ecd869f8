"""How the commands of the trash, of retention and of watching are typed."""

from collections.abc import Callable

from dayfly.cli.amounts import count, days, duration
from dayfly.cli.commands import Commands, Run, words

BELOW = "BUCKET[/PREFIX]"


def declare(files: Commands, run: Callable[[str], Run]) -> None:
    _declare_watch(files, run)
    _declare_retain(files, run)
    trash = files.add_group("trash", "What was deleted for good, where a bucket keeps that.")
    ls = trash.add_reader("ls", run("trash ls"), "What lies in the trash, the newest first.")
    ls.add_argument("place", type=words, metavar=BELOW)
    about = "Put back what lies there; the newest of the key unless a version is named."
    restore = trash.add_reader("restore", run("trash restore"), about)
    restore.add_argument("place", type=words, metavar="BUCKET/KEY")
    restore.add_argument("version", nargs="?", default="", metavar="ID", help="as `ls` shows it")
    empty = trash.add("empty", run("trash empty"), "Remove it, which nothing brings back.")
    empty.add_argument("bucket", type=words, metavar="BUCKET")
    empty.add_argument(
        "--older", type=duration, default=0.0, metavar="TIME", help="only what lies there longer"
    )
    for parser in (ls, restore, empty):
        parser.add_argument("--root", metavar="DIR", help="of an archive that runs alone")
        parser.add_argument("--index", metavar="FOLDER", help="its index (DIR/.dayfly/index)")


def _declare_watch(files: Commands, run: Callable[[str], Run]) -> None:
    watch = files.add("watch", run("watch"), "Tell what happens, until it is ended.")
    watch.add_argument("place", type=words, metavar=BELOW)
    watch.add_argument("--after", type=int, metavar="N", help="from the change behind that one on")
    watch.add_argument("-n", type=count, dest="limit", metavar="N", help="end after so many")
    watch.add_argument("--json", action="store_true", help="one JSON object a line")
    watch.add_argument("--root", metavar="DIR", help="of an archive that runs alone")
    watch.add_argument("--index", metavar="FOLDER", help="its index (DIR/.dayfly/index)")


def _declare_retain(files: Commands, run: Callable[[str], Run]) -> None:
    retain = files.add_reader("retain", run("retain"), "How long a bucket keeps what is in it.")
    retain.add_argument("place", type=words, metavar=BELOW, help="without an option: tell")
    for name, about in (
        ("expire", "delete objects after so many days: 90d"),
        ("versions", "delete what was superseded so long ago"),
        ("uploads", "abort uploads that were begun so long ago"),
    ):
        retain.add_argument(f"--{name}", type=days, metavar="DAYS", help=about)
    retain.add_argument(
        "--newest", type=count, metavar="N", help="of superseded versions keep so many"
    )
    retain.add_argument("--off", action="store_true", help="keep everything again")
    retain.add_argument("--root", metavar="DIR", help="of an archive that runs alone")
    retain.add_argument("--index", metavar="FOLDER", help="its index (DIR/.dayfly/index)")
