"""Commands for the file archive: how they are typed. What they do is loaded when one is."""

from argparse import ArgumentParser

from dayfly.cli import keeping
from dayfly.cli.amounts import checksum, count, duration, moment, pair, seconds, size
from dayfly.cli.commands import Commands, Run, words
from dayfly.cli.session import Session

ABOUT = "The file archive of the environment in DAYFLY_HOME, or one that runs alone."
OBJECT, BELOW = "BUCKET/KEY", "BUCKET[/PREFIX]"


def declare(commands: Commands) -> None:
    files = commands.add_group("files", ABOUT)
    _declare_looks(files)
    _declare_moves(files)
    _declare_changes(files)
    _declare_lock(files)
    keeping.declare(files, _run)
    _declare_care(files)
    _declare_keys(files)


def _run(name: str) -> Run:
    def run(session: Session, **told: object) -> int:
        from dayfly.cli.archive.commands import COMMANDS  # noqa: PLC0415 - 0.1 s, for these only

        return COMMANDS[name](session, **told)

    return run


def _declare_looks(files: Commands) -> None:
    ls = _reader(files, "ls", "Buckets, or what is in one.")
    ls.add_argument("place", nargs="?", type=words, metavar=BELOW)
    ls.add_argument("-r", "--recursive", action="store_true", help="all keys, at every depth")
    versions = _reader(files, "versions", "All versions of an object, newest first.")
    versions.add_argument("place", type=words, metavar=OBJECT)
    _declare_search(_reader(files, "search", "Find objects by what is known of them."))
    du = _reader(files, "du", "What buckets hold, and what their versions take.")
    du.add_argument("place", nargs="?", type=words, metavar="BUCKET")


def _declare_search(search: ArgumentParser) -> None:
    search.add_argument("place", type=words, metavar=BELOW)
    search.add_argument("name", nargs="?", metavar="NAME", help="a piece of the key; or with * ?")
    for name, of in (
        ("tag", "a tag"),
        ("metadata", "what its writer said"),
        ("provenance", "who, release, commit, machine, job or source: machine=orders-7-web-1"),
    ):
        search.add_argument(
            f"--{name}", action="append", type=pair, default=[], metavar="NAME=VALUE", help=of
        )
    search.add_argument("--since", type=moment, metavar="TIME", help="put since: a time, or 2h")
    search.add_argument("--until", type=moment, metavar="TIME", help="put before then")
    search.add_argument("--versions", action="store_true", help="also what is not current")
    search.add_argument("-n", type=int, dest="limit", default=200, metavar="N", help="most (200)")


def _declare_moves(files: Commands) -> None:
    put = _writer(files, "put", "Store a file.")
    put.add_argument("source", type=words, metavar="FILE", help="- for standard input")
    put.add_argument("target", type=words, metavar=OBJECT, help="or BUCKET/PREFIX/")
    put.add_argument("--new", action="store_true", help="only if there is no such object")
    get = _reader(files, "get", "Fetch an object; one that was interrupted goes on.")
    get.add_argument("source", type=words, metavar=OBJECT)
    get.add_argument(
        "target", nargs="?", default="", metavar="FILE", help="or FOLDER/; - for standard output"
    )
    get.add_argument("--version", default="", metavar="ID", help="an earlier one")
    _declare_fetch(_writer(files, "fetch", "Store what lies at a URL; what broke off goes on."))
    import_ = _reader(files, "import", "Store all files below a folder; typed again it goes on.")
    import_.add_argument("folder", type=words, metavar="FOLDER")
    import_.add_argument("target", type=words, metavar=BELOW)


def _declare_fetch(fetch: ArgumentParser) -> None:
    fetch.add_argument("url", type=words, metavar="URL", help="http or https")
    fetch.add_argument("target", type=words, metavar=OBJECT, help="or BUCKET/PREFIX/")
    fetch.add_argument(
        "--checksum",
        type=checksum,
        metavar="SUM",
        help="what it has to have: sha256:HEX or sha512:HEX",
    )
    fetch.add_argument("--most", type=size, metavar="SIZE", help="refuse what is larger: 5GB")
    fetch.add_argument("--new", action="store_true", help="only if there is no such object")


def _declare_changes(files: Commands) -> None:
    create = _place(files.add("create", _run("create"), "Make a bucket."))
    create.add_argument("bucket", type=words, metavar="BUCKET")
    create.add_argument("--owner", default="dayfly", metavar="NAME", help="whose it is (dayfly)")
    create.add_argument("--versions", action="store_true", help="keep what is replaced or deleted")
    cp = _writer(files, "cp", "Copy an object.")
    cp.add_argument("source", type=words, metavar=OBJECT)
    cp.add_argument("target", type=words, metavar=OBJECT, help="or BUCKET/PREFIX/")
    restore = _writer(files, "restore", "Make an earlier version the current one.")
    restore.add_argument("place", type=words, metavar=OBJECT)
    restore.add_argument("version", type=words, metavar="ID", help="as `versions` shows it")
    about = "Delete an object; a bucket with versions keeps them."
    rm = _place(files.add("rm", _run("rm"), about))
    rm.add_argument("place", type=words, metavar=OBJECT)
    rm.add_argument("--version", default="", metavar="ID", help="this version, for good")
    rm.add_argument("-r", "--recursive", action="store_true", help="all keys that begin so")
    _token(rm)


def _declare_lock(files: Commands) -> None:
    lock = _reader(files, "lock", "Be the only one who may write a key, for a while.")
    lock.add_argument("place", type=words, metavar="BUCKET[/KEY]", help="a bucket: its leases")
    lock.add_argument("--owner", default="", metavar="NAME", help="who it is (user and process)")
    lock.add_argument("--seconds", type=seconds, default=60.0, metavar="N", help="how long (60)")
    lock.add_argument("--release", type=int, metavar="TOKEN", help="end the lease of this token")
    lock.add_argument(
        "--run", type=words, metavar="COMMAND", dest="command", help="hold it while this runs"
    )


def _declare_care(files: Commands) -> None:
    scrub = _reader(files, "scrub", "Read all bytes, find damage, repair what can be.")
    scrub.add_argument("bucket", nargs="?", type=words, metavar="BUCKET")
    scrub.add_argument("--from", dest="source", metavar="FOLDER", help="a mirror, to repair from")
    mirror = _reader(files, "mirror", "Make a folder the same, as a second copy; it goes on.")
    mirror.add_argument("folder", type=words, metavar="FOLDER")
    limit = _place(files.add("limit", _run("limit"), "How much a bucket may hold, and keeps."))
    limit.add_argument("bucket", type=words, metavar="BUCKET")
    limit.add_argument("--quota", type=size, metavar="SIZE", help="such as 5GB; 0B is none")
    limit.add_argument(
        "--trash",
        type=duration,
        metavar="TIME",
        help="how long deleted ones stay: 30d; 0s is none",
    )
    about = "Make the index anew from the files, while no server runs."
    _place(files.add("rebuild", _run("rebuild"), about))
    serve = files.add("serve", _run("serve"), "Run an archive alone, in the foreground.")
    serve.add_argument("folder", type=words, metavar="DIR", help="of its files")
    serve.add_argument(
        "--listen", default="127.0.0.1:9000", metavar="ADDR", help="HOST:PORT (127.0.0.1:9000)"
    )
    serve.add_argument("--workers", type=count, default=2, metavar="N", help="processes (2)")
    serve.add_argument(
        "--accounts", metavar="FILE", help="who may use it (DIR/.dayfly/accounts.json)"
    )
    serve.add_argument("--index", metavar="FOLDER", help="on a local disk (DIR/.dayfly/index)")
    serve.add_argument(
        "--domain", action="append", default=[], metavar="NAME", help="each bucket is a host of it"
    )


def _declare_keys(files: Commands) -> None:
    key = files.add_group("key", "Who may use the archive.")
    create = key.add_reader("create", _run("key create"), "A new access key, told this once.")
    create.add_argument("name", type=words, metavar="NAME", help="of the account that has it")
    create.add_argument("--operator", action="store_true", help="may do all, in all buckets")
    ls = key.add_reader("ls", _run("key ls"), "All access keys; secrets are never shown.")
    rm = key.add("rm", _run("key rm"), "Take an access key back, at once.")
    rm.add_argument("access_key_id", metavar="ID")
    for parser in (create, ls, rm):
        parser.add_argument("--root", metavar="DIR", help="of an archive that runs alone")
        parser.add_argument("--accounts", metavar="FILE", help="(DIR/.dayfly/accounts.json)")


def _reader(files: Commands, name: str, about: str) -> ArgumentParser:
    return _place(files.add_reader(name, _run(name), about))


def _writer(files: Commands, name: str, about: str) -> ArgumentParser:
    return _token(_reader(files, name, about))


def _place(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("--root", metavar="DIR", help="of an archive that runs alone")
    parser.add_argument("--index", metavar="FOLDER", help="its index (DIR/.dayfly/index)")
    return parser


def _token(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("--token", type=int, metavar="N", help="of the lease that allows it")
    return parser
