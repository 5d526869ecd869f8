import hashlib
import io
from pathlib import Path

import pytest

from orders import desk, web

ORDER = {
    "customer": "Ida Brandt",
    "email": "ida@example.com",
    "article": "Bird house",
    "quantity": 2,
}


@pytest.fixture
def reference():
    return desk.new_reference()


def test_an_order_of_the_web_shop_is_found_again(shop, reference):
    answer = shop.post("/api/orders", json={**ORDER, "reference": reference})

    assert answer.status_code == 201
    assert shop.get(f"/api/orders/{reference}").json["price_cents"] == 5800
    assert shop.get("/api/orders?limit=1").json["orders"][0]["reference"] == reference


def test_a_reference_is_taken_once(shop, reference):
    before = shop.get("/api/orders/count").json["count"]

    first = shop.post("/api/orders", json={**ORDER, "reference": reference})
    second = shop.post("/api/orders", json={**ORDER, "reference": reference})

    assert (first.status_code, second.status_code) == (201, 409)
    assert shop.get("/api/orders/count").json["count"] == before + 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer": ""},
        {"email": "ida"},
        {"article": "Helicopter"},
        {"quantity": 0},
        {"quantity": "many"},
        {"reference": "a b"},
    ],
)
def test_what_can_not_be_an_order_is_refused(shop, wrong):
    answer = shop.post("/api/orders", json={**ORDER, **wrong})

    assert answer.status_code == 400
    assert answer.json["error"]


def test_the_desk_takes_an_order_and_shows_it(shop):
    page = shop.post("/orders", data={**ORDER, "note": "<b>soon</b>"}, follow_redirects=True)

    assert page.status_code == 200
    assert "Ida Brandt" in page.text
    assert "&lt;b&gt;soon&lt;/b&gt;" in page.text
    assert "Ida Brandt" in shop.get("/").text


def test_a_wrong_form_comes_back_filled_in(shop):
    page = shop.post("/orders", data={**ORDER, "email": "ida"})

    assert page.status_code == 400
    assert 'value="Ida Brandt"' in page.text


def test_an_attachment_comes_back_as_it_was(shop, reference):
    shop.post("/api/orders", json={**ORDER, "reference": reference})
    drawing = bytes(range(256)) * 40

    shop.post(
        f"/orders/{reference}/files", data={"file": (io.BytesIO(drawing), "../drawing 1.pdf")}
    )

    page = shop.get(f"/orders/{reference}").text
    link = page.split(f'href="/orders/{reference}/files/')[1].split('"')[0]
    assert shop.get(f"/orders/{reference}/files/{link}").data == drawing
    assert not list(Path("uploads").glob("*.part"))


def test_a_shipped_order_says_so(shop, reference):
    shop.post("/api/orders", json={**ORDER, "reference": reference})

    shop.post(f"/orders/{reference}/ship")

    assert "shipped" in shop.get(f"/orders/{reference}").text


def test_what_is_not_there_is_not_found(shop):
    assert shop.get("/orders/nothing").status_code == 404
    assert shop.get("/api/orders/nothing").status_code == 404


def test_health_touches_the_database(shop):
    assert shop.get("/healthz").text == "ok\n"


def test_static_files_carry_the_hash_of_their_content():
    for file in Path(web.app.static_folder).iterdir():
        assert file.name.split(".")[1] == hashlib.sha256(file.read_bytes()).hexdigest()[:8]
