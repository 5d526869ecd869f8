"""What the files page decides, as rows of data."""

import time
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.console.files import listing, previewing, searching, uploads, versions
from dayfly.console.files.places import Folder, Thing, seen
from dayfly.environment.operated import reached
from dayfly.errors import UsageError
from dayfly.files import sharing
from dayfly.files.objects import Bucket, Version, Versioning
from dayfly.files.s3 import policy, settings
from dayfly.files.s3.accounts import Key
from dayfly.files.s3.call import call_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.signature import claim_of, verify
from dayfly.shown import plain

NOW = 1_793_577_600 * 10**9  # 2026-11-02T00:00Z
SECOND = 10**9
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("bill.pdf", "bill.pdf"),
        ("two words  twice", "two words  twice"),
        ("", "(no name)"),
        (" a ", "\\x20a\\x20"),
        ("  ", "\\x20\\x20"),
        ("a\tb\n", "a\\tb\\n"),
        ("exe\u202egnp", "exe\\u202egnp"),
        ("exe\\u202egnp", "exe\\\\u202egnp"),
        ("\x1b[2J", "\\x1b[2J"),
        ("é 中文 😀", "é 中文 😀"),
    ],
)
def test_a_name_is_shown_as_it_is(name: str, shown: str) -> None:
    assert seen(name) == shown


@given(KEYS, KEYS)
def test_two_keys_never_look_alike(one: str, other: str) -> None:
    assert (seen(one) == seen(other)) == (one == other)
    assert plain(seen(one)) == seen(one)


@given(KEYS, KEYS)
def test_an_address_holds_any_key(bucket: str, key: str) -> None:
    thing = Thing(bucket=bucket, key=key, version="v")
    address = thing.address("delete", was="x")

    assert address.isascii()
    assert plain(address) == address
    told = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    assert Thing.of(told) == thing
    folder = Folder(bucket=bucket, prefix=key)
    assert Folder.of(dict(parse_qsl(urlsplit(folder.address()).query))) == folder


def test_crumbs_lead_up() -> None:
    folder = Folder(bucket="b", prefix="a/ /x")

    assert folder.crumbs == [
        ("b", "/files?bucket=b"),
        ("a", "/files?bucket=b&prefix=a%2F"),
        ("\\x20", "/files?bucket=b&prefix=a%2F%20%2F"),
    ]
    assert folder.begins == "x"


@pytest.mark.parametrize(
    ("key", "file"),
    [("a/b.pdf", "b.pdf"), ("a/", "a"), ("..", "object"), ("x/..", "x"), ("a\u202eb", "ab")],
)
def test_a_saved_file_gets_a_harmless_name(key: str, file: str) -> None:
    assert Thing(bucket="b", key=key).file == file


PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("name", "head", "kind", "type_"),
    [
        ("a.png", PNG, "image", "image/png"),
        ("a.html", PNG, "image", "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image", "image/webp"),
        ("a.avif", b"\0\0\0\x1cftypavif", "image", "image/avif"),
        ("a", b"%PDF-1.7\n", "pdf", "application/pdf"),
        ("a.svg", b"<svg onload='x()'>", "image", "image/svg+xml"),
        ("a.html", b"<html><svg>", "text", ""),
        ("a.pdf", b"<script>x()</script>", "text", ""),
        ("a.png", b"<script>x()</script>", "text", ""),
        ("a.svg", b"<script>x()</script>", "text", ""),
        ("a.csv", b"a,b\n1,2\n", "table", ""),
        ("a.TSV", b"a\tb\n", "table", ""),
        ("a.csv", b"\x00\x01", "nothing", ""),
        ("a", b"", "nothing", ""),
        ("a.txt", "grün".encode("cp1252"), "text", ""),
        ("a", bytes(range(128, 256)), "nothing", ""),
    ],
)
def test_bytes_say_what_a_file_is(name: str, head: bytes, kind: str, type_: str) -> None:
    found = previewing.preview(name, head, len(head))

    assert (found.kind, found.type) == (kind, type_)


@pytest.mark.parametrize("size", [previewing.MOST_IMAGE + 1, previewing.MOST_PDF + 1])
def test_what_is_too_large_is_not_shown(size: int) -> None:
    assert "too large" in previewing.preview("a.png", PNG, size).why


def test_a_text_is_cut_between_letters() -> None:
    head = ("x" + "€" * previewing.HEAD).encode()[: previewing.HEAD]
    found = previewing.preview("a.txt", head, 10 * len(head))

    assert set(found.text) == {"x", "€"}
    assert found.cut == "the first 64 KB"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a;b\n"1;2";3\n', [["a", "b"], ["1;2", "3"]]),
        ("a,b;c,d\n", [["a", "b;c", "d"]]),
        ("one\ntwo\n", [["one"], ["two"]]),
        ("a|b\r\n1|2", [["a", "b"], ["1", "2"]]),
    ],
)
def test_a_table_is_read_as_it_is_written(text: str, rows: list[list[str]]) -> None:
    assert previewing.table(text, "").rows == rows


def test_a_table_says_what_it_leaves_out() -> None:
    many = previewing.table("a,b\n" * 300, "")
    wide = previewing.table("x," * 50 + "\n" + "y" * 400, "the first 64 KB")

    assert (len(many.rows), many.cut) == (200, "the first 200 rows")
    assert wide.cut == "the first 64 KB, the first 40 columns"
    assert len(wide.rows) == 1


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.txt", "a.svg", "a"]))
def test_nothing_but_known_types_is_ever_sent(head: bytes, name: str) -> None:
    found = previewing.preview(name, head, len(head))

    assert not found.type or found.type.startswith("image/") or found.type == previewing.PDF


@pytest.mark.parametrize(
    ("told", "name", "value"),
    [
        ({"name": " bill "}, "name", "bill"),
        ({"tag": "state=paid=yes"}, "tags", {"state": "paid=yes"}),
        ({"provenance": "release=41"}, "provenance", {"release": "41"}),
        ({"since": "2h"}, "since", NOW - 7200 * SECOND),
        ({"until": "2026-11-01"}, "until", NOW - 86_400 * SECOND),
        ({"versions": "1"}, "versions", True),
    ],
)
def test_a_search_is_read(told: dict[str, str], name: str, value: object) -> None:
    assert searching.is_asked(told)
    assert getattr(searching.wanted(told, NOW), name) == value


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"tag": "paid"}, "tag: found 'paid'"),
        ({"metadata": "=x"}, "metadata: found '=x'"),
        ({"provenance": "host=x"}, "provenance: found 'host'"),
        ({"since": "yesterday"}, "since: found 'yesterday'"),
        ({"until": "2026-13-01"}, "until: found '2026-13-01'"),
    ],
)
def test_a_wrong_search_is_told(told: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        searching.wanted(told, NOW)
    assert "llowed" in caught.value.hint


@pytest.mark.parametrize(
    ("versioning", "null", "trash", "says"),
    [
        (Versioning.ENABLED, False, 0, "can be restored"),
        (Versioning.SUSPENDED, False, 0, "can be restored"),
        (Versioning.SUSPENDED, True, 0, "gone for good"),
        (Versioning.NEVER, True, 3600, "into the trash"),
        (Versioning.NEVER, True, 0, "gone for good"),
    ],
)
def test_what_a_deletion_means_is_told(
    versioning: Versioning, null: bool, trash: int, says: str
) -> None:
    bucket = Bucket(name="b", owner="o", created=0, versioning=versioning, trash_seconds=trash)

    assert says in versions.consequence(bucket, Version(bucket="b", key="k", uid="u", null=null))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(86_400, "1 day"), (30 * 86_400, "30 days"), (7200, "2 hours"), (5400, "90 minutes")],
)
def test_days_are_told(seconds: int, words: str) -> None:
    assert listing.days(seconds) == words


@pytest.mark.parametrize("size", [0, 1, 8 << 20, 5 << 30, 80 << 30, 600 << 30])
def test_a_file_has_few_enough_parts(size: int) -> None:
    part = uploads.part_size(size)

    assert 5 << 20 <= part <= uploads.MOST
    assert part * 10_000 >= size


@pytest.mark.parametrize(
    ("listen", "host", "endpoint"),
    [
        ("127.0.0.1:8083", "prod.example", "http://127.0.0.1:8083"),
        ("0.0.0.0:8083", "prod.example", "http://prod.example:8083"),
        ("[::]:8083", "2001:db8::1", "http://[2001:db8::1]:8083"),
        ("[::1]:8083", "prod.example", "http://[::1]:8083"),
        ("", "prod.example", ""),
    ],
)
def test_links_lead_where_the_archive_is_reached(listen: str, host: str, endpoint: str) -> None:
    assert reached(listen, host) == endpoint


SHARED = sharing.Shared(bucket="b", key="a b/ü+%.pdf", version="v1", seconds=3600)
KEY = Key(access_key_id="ID", secret_access_key="secret/+")


def test_a_link_is_signed_as_clients_sign_it() -> None:
    now = float(int(time.time()))
    url = urlsplit(sharing.presigned("http://files.example:8083", KEY, SHARED, now))
    headers = [("host", "files.example:8083")]
    call = call_of("GET", unquote(url.path), url.query, headers)
    claim = claim_of(call)
    assert claim
    verify(claim, call, KEY.secret_access_key, now)

    told = parse_qs(url.query)
    assert told["versionId"] == ["v1"]
    assert told["response-content-disposition"] == ["attachment; filename*=UTF-8''%C3%BC%2B%25.pdf"]
    for wrong in (
        call_of("PUT", unquote(url.path), url.query, headers),
        call_of("GET", "/b/other", url.query, headers),
        call_of("GET", unquote(url.path), url.query.replace("v1", "v2"), headers),
    ):
        with pytest.raises(S3Error):
            verify(claim, wrong, KEY.secret_access_key, now)
    with pytest.raises(S3Error, match="expired"):
        verify(claim, call, KEY.secret_access_key, now + 3601)


def asked(action: str, account: str) -> policy.Asked:
    return policy.Asked(action=action, resource="b/k", account=account)


DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/k"}


@pytest.mark.parametrize(
    ("before", "may"), [(None, "allow"), ([], "allow"), ([DENY], "deny"), (DENY, "deny")]
)
def test_the_key_of_links_may_only_read(before: object, may: str) -> None:
    kept = {} if before is None else {"policy": msgspec.json.encode({"Statement": before}).decode()}
    bucket = sharing.readable(Bucket(name="b", owner="o", created=0, settings=kept))
    found = settings.policy_of(bucket)
    assert found

    assert sharing.readable(bucket) == bucket
    assert not found.is_public
    assert policy.policy_of(bucket.settings["policy"].encode(), "b") == found
    for action in ("s3:GetObject", "s3:GetObjectVersion"):
        assert found.decides(asked(action, sharing.ACCOUNT)) == may
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:PutBucketPolicy"):
        assert found.decides(asked(action, sharing.ACCOUNT)) != "allow"
    assert found.decides(asked("s3:GetObject", "orders")) != "allow"
