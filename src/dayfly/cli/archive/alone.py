"""An archive that runs alone, and who may use one."""

from pathlib import Path

from dayfly.cli.archive.place import INDEX, check_there, place_of
from dayfly.cli.output import clean, cleaned, flush, say, say_json, table
from dayfly.cli.session import Session
from dayfly.files import credentials
from dayfly.files.starting import ACCOUNTS
from dayfly.files.tree import check_folder


def serve(
    _: Session,
    *,
    folder: str,
    listen: str,
    workers: int,
    accounts: str | None,
    index: str | None,
    domain: list[str],
) -> int:
    """Until it is told to end."""
    from dayfly.files.s3.serving import Serving  # noqa: PLC0415 - loads the server
    from dayfly.files.s3.serving import serve as run  # noqa: PLC0415

    root = Path(folder).absolute()
    check_folder(root)
    settings = Serving(
        root=root,
        index=Path(index).absolute() if index else root / INDEX,
        accounts=_accounts(root, accounts),
        listen=listen,
        workers=workers,
        domains=("localhost", *domain),
    )

    def begins() -> None:
        say(f"The archive in {clean(str(root))} answers at http://{clean(listen)}")
        flush()

    run(settings, begins=begins)
    return 0


def key_create(
    session: Session,
    *,
    name: str,
    operator: bool,
    root: str | None,
    accounts: str | None,
    json: bool,
) -> int:
    key = credentials.create(_file(session, root, accounts), name, operator=operator)
    told = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    if json:
        say_json(told)
    else:
        say(*(f"{word}  {text}" for word, text in told.items()))
    return 0


def key_ls(session: Session, *, root: str | None, accounts: str | None, json: bool) -> int:
    found = credentials.keys(_file(session, root, accounts))
    rows = [{"name": name, "access_key_id": key.access_key_id} for name, key in found]
    if json:
        say_json(rows)
    elif rows:
        cells = [(each["name"], each["access_key_id"]) for each in cleaned(rows)]
        say(*table(cells, head=("name", "access key")))
    return 0


def key_rm(session: Session, *, access_key_id: str, root: str | None, accounts: str | None) -> int:
    credentials.revoke(_file(session, root, accounts), access_key_id)
    say(f"{clean(access_key_id)} is revoked.")
    return 0


def _file(session: Session, root: str | None, accounts: str | None) -> Path:
    if accounts:
        return Path(accounts).absolute()
    place = place_of(session, root, None)
    if root:
        check_there(place)
    return place.accounts


def _accounts(root: Path, accounts: str | None) -> Path:
    """One that is named has to be there; the archive's own begins without anybody."""
    if accounts:
        return Path(accounts).absolute()
    file = root / ".dayfly" / ACCOUNTS
    file.parent.mkdir(parents=True, exist_ok=True)
    credentials.begin(file)
    return file
