"""What the text of a migration in Python says it may do to rows."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.database.impact.replay.writeback import write_back
from dayfly.database.program import Program, program

DJANGO = """
from django.db import migrations
{head}

def helper(order):
    order.note = ""

def forward(apps, editor):
    Order = apps.get_model("shop", "Order")
    for order in Order.objects.filter(state="old").order_by("size"):
{body}

def backward(apps, editor):
    Order.objects.all().delete()
    Order.objects.update(undone=1)

class Migration(migrations.Migration):
    operations = [migrations.RunPython(forward, backward)]
"""


def read(body: str, head: str = "") -> Program:
    found = program(DJANGO.format(head=head, body=textwrap.indent(body, " " * 8)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("body", "sets"),
    [
        ("order.slug = order.title.lower(); order.save()", {"slug"}),
        ("order.size += 1", {"size"}),
        ("order.a, order.b = 1, 2", {"a", "b"}),
        ("Order.objects.filter(pk=order.pk).update(state='new')", {"state", "new"}),
        ("Order(number=order.pk, state=None).save()", {"number", "state"}),
        ("Order.objects.update(**{'state': None})", {"state"}),
        ("setattr(order, 'state', None)", {"state"}),
        ("helper(order)", {"note"}),
        ("Order.objects.filter(pk=1).values_list('title')", set()),
        ("for order.state in (1, 2): pass", {"state"}),
        ("del order.state", {"state"}),
        ("print(order.state)", set()),
    ],
)
def test_what_it_may_set(body: str, sets: set[str]) -> None:
    found = read(body)
    assert found.sets - {"shop", "Order"} == sets
    assert found.whole == ("**" not in body)
    assert not found.deletes


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("setattr(order, name, None)", ""),
        ("order.__dict__['state'] = 1", ""),
        ("exec(text)", ""),
        ("Order.objects.update(**found)", ""),
        ("fix(order)", "from shop.services import fix"),
        ("fix(order)", "from .services import fix"),
        ("import shop.services", ""),
        ("call_command('loaddata')", ""),
        ("Order(order.pk, order.code, '').save()", ""),
        ("type(order)(order.pk, '').save()", ""),
        ("order._meta.model(order.pk, '').save()", ""),
        ("order.pk = order.other; order.save()", ""),
        ("Order(pk=order.pk, state=None).save()", ""),
    ],
)
def test_it_is_not_whole_where_more_happens_than_it_says(body: str, head: str) -> None:
    assert not read(body, head).whole


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("order.delete()", 1),
        ("Order.objects.filter(pk=1).delete(); order.item_set.all().delete()", 2),
        ("cursor.execute('DELETE FROM shop_order')", 1),
        ("order.tags.clear(); order.tags.remove(1)", 2),
        ("getattr(order, 'del' + 'ete')()", 1),
        ("P = apps.get_model('auth', 'Permission'); P.objects.filter(a=1).delete()", 0),
        ("P = apps.get_model('auth', 'Group'); P.objects.filter(a=1).delete()", 1),
        ("print('delete')", 0),
        ("seen = []; seen.clear(); seen.remove(1)", 0),
        ("'DELETE FROM orders, as somebody says'", 0),
        ("order.save()", 0),
    ],
)
def test_in_how_many_places_it_deletes(body: str, places: int) -> None:
    assert read(body).deletes == places


@pytest.mark.parametrize(
    ("body", "spelled"),
    [
        ("order.state = order.title; print('state')", set()),
        ("found['state'] = 1; Order.objects.update(**found)", {"state"}),
        ("setattr(order, name, 1); fields.append('state')", {"state"}),
        ("run(update(t).where(1).values({name: new}), 'state')", {"state"}),
        ("found.update({name: 'state'})", set()),
        (
            "run(f'UPDATE orders SET {name} = 1'); add('state')",
            {"UPDATE", "orders", "SET", "state"},
        ),
        ("setattr(order, name, 1); run('SELECT id, note FROM orders')", set()),
    ],
)
def test_names_that_it_puts_together_may_be_any_that_it_mentions(
    body: str, spelled: set[str]
) -> None:
    assert read(body).spelled - {"shop", "Order"} == spelled


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        ("order.state = 1", {"shop_order.state"}),
        ("order.items.state = 1", {".state"}),
        ("order.items.update(state=1)", {".state"}),
        ("Order.objects.filter(pk=1).exclude(a=2).update(state=1)", {"shop_order.state"}),
        ("Order.tags.through.objects.update(tag_id=1)", {"shop_order_tags.tag_id"}),
        ("for each in list(Order.objects.all()): each.state = 1", {"shop_order.state"}),
        ("[setattr(each, 'state', 1) for each in Order.objects.all()]", {"shop_order.state"}),
        ("for order in others: order.state = 1", {".state"}),
        ("new = Order(); new.state = 1", {"shop_order.state, or new"}),
        ("new = Order.objects.get(pk=1); new.state = 1", {"shop_order.state"}),
        ("new = found or Order(); new.state = 1", {".state"}),
        ("run('UPDATE a.b SET state = 1')", {"b.state"}),
        ("run('UPDATE ONLY \"B\" SET state = 1')", {"B.state"}),
        ("order.save(update_fields=['state'])", {"shop_order.state"}),
        ("Order.objects.bulk_update(found, ['state'])", {"shop_order.state"}),
        ("order.settings['a'] = 1; found['b'] = 1", {"shop_order.settings"}),
        ("Order.objects.update_or_create(a=1, defaults={'b': 1})", {"shop_order.b, or new"}),
        ("s.query(Order).update({Order.state: 1})", {"shop_order.state"}),
        ("run(table('b').insert().values(state=1))", {"b.state, or new"}),
    ],
)
def test_what_it_sets_is_of_the_table_with_which_its_name_began(
    body: str, settings: set[str]
) -> None:
    found = read(body).settings
    assert {
        f"{s.table}.{s.name}{', or new' * (s.new and s.table != '')}" for s in found
    } == settings


@pytest.mark.parametrize(
    ("body", "replaced", "added"),
    [
        ("order.tags.set([])", {("shop_order", "tags")}, set()),
        ("each.tags.set([])", {("", "tags")}, set()),
        ("order.tags.add(1)", set(), {("shop_order", "tags")}),
        ("each.tags.add(1)", set(), {("", "tags")}),
        ("seen.add(1); self.seen.add(1); db.session.add(order)", set(), set()),
        ("cache.set('a', 1); flag.up.set()", set(), set()),
    ],
)
def test_what_belongs_to_a_row_is_replaced_or_added_to(
    body: str, replaced: set[tuple[str, str]], added: set[tuple[str, str]]
) -> None:
    found = read(body)
    assert (found.replaced, found.added) == (replaced, added)


@pytest.mark.parametrize(
    ("operation", "back"),
    [
        ('AddField("Order", "tags", models.ManyToManyField("Tag", related_name="of"))', "of"),
        (
            "AddField(model_name='order', name='tags', field=ManyToManyField('shop.Tag'))",
            "order_set",
        ),
        ('AddField("Order", "tags", models.ManyToManyField(to="Tag", blank=True))', "order_set"),
        ('AddField("Order", "tags", models.ForeignKey("Tag", related_name="of"))', None),
        ('AlterField("Order", "tags", models.ManyToManyField("Tag", related_name="of"))', None),
        ('AddField(name, "tags", models.ManyToManyField("Tag"))', None),
    ],
)
def test_links_that_it_adds_go_by_a_name_from_each_side(operation: str, back: str | None) -> None:
    found = read("pass", head=f"operations = [migrations.{operation}]").links
    assert [link.back for link in found] == ([back] if back else [])
    assert all(link.kept_in("shop_order_tags") for link in found)
    assert all(link.goes_by("shop_tag", str(back)) for link in found)
    assert not any(link.goes_by("shop_other", str(back)) for link in found)


def test_of_alembic_it_is_the_way_up() -> None:
    text = """
    revision = "a1"
    def upgrade():
        bind.execute(sa.text("UPDATE orders SET state = 'x' WHERE id = 1"))
        bind.execute(orders.update().values(note="x"))
    def downgrade():
        bind.execute(sa.text("DELETE FROM orders"))
    """
    found = program(textwrap.dedent(text))
    assert found is not None
    assert (found.assigns, found.deletes, found.whole) == ({"state", "note"}, 0, True)


@pytest.mark.parametrize("text", ["x = (", "x = 1", "def other(): pass", "\0"])
def test_what_holds_no_program_is_none(text: str) -> None:
    assert program(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "migrations.RunPython(code=lambda apps, editor: apps.get_model('a', 'b').objects.delete())",
        "def made(x):\n    def f(a, e):\n        x.delete()\n    return f\nRunPython(made(1))",
        "class Migration:\n    def f(a, e):\n        a.delete()\n    operations = [RunPython(f)]",
        "class F:\n    def f(a, e):\n        a.delete()\nRunPython(F.f, RunPython.noop)",
    ],
)
def test_wherever_the_function_is_it_is_read(text: str) -> None:
    found = program(text)
    assert found is not None
    assert found.deletes == 1


def test_a_function_from_elsewhere_is_not_whole() -> None:
    found = program("from x import fill\nmigrations.RunPython(fill)")
    assert found is not None
    assert not found.whole


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("UPDATE t SET a = 'x', b = 2, c = NULL, d = true WHERE id = 1", ("a", "b", "c", "d")),
        ('UPDATE "s"."t" SET "A" = \'{}\'::jsonb WHERE "t"."id" = 1', ("A",)),
        ("UPDATE t SET a = '2024-01-01'::timestamp(6) WHERE id = 1 RETURNING a", ("a",)),
        ("UPDATE t SET a = -1::numeric(4, 2) WHERE id = 1", ("a",)),
        ("UPDATE t SET a = a + 1 WHERE id = 1", ()),
        ("UPDATE t SET a = upper('x') WHERE id = 1", ()),
        ("UPDATE t SET a = b WHERE id = 1", ()),
        ("UPDATE t SET a = (SELECT 1) WHERE id = 1", ()),
        ("UPDATE t SET a = 'x' FROM u WHERE t.id = 1", ()),
        ("UPDATE t SET a = 'x'", ()),
        ("UPDATE t SET (a, b) = (1, 2) WHERE id = 1", ()),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1 WHERE id = 1", ()),
        ("DELETE FROM t WHERE id = 1", ()),
    ],
)
def test_rows_that_are_written_back_are_set_to_constants(
    text: str, columns: tuple[str, ...]
) -> None:
    found = write_back(text)
    assert (found.columns if found else ()) == columns


def test_what_is_written_back_is_read_from_the_same_row() -> None:
    found = write_back("UPDATE t SET a = 'where', b = 1 WHERE t.id = 7 RETURNING a")
    assert found is not None
    assert found.sql.split() == (
        ["SELECT", "a::text,", "b::text", "FROM", "t", "WHERE", "t.id", "=", "7"]
    )
    assert found.changed(("x", "1"), ("where", "1")) == {"a"}
    assert found.changed(None, ("where", "1")) is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_complaint(text: str) -> None:
    program(text)
    write_back(text)
    write_back(f"UPDATE t SET {text} WHERE id = 1")
