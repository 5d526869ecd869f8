"""The same orders as JSON, for the web shop."""

from flask import Blueprint, jsonify, request

from orders import desk
from orders.database import transaction

api = Blueprint("api", __name__, url_prefix="/api/orders")


@api.post("")
def create():
    with transaction() as connection:
        try:
            body = request.get_json()
            if not isinstance(body, dict):
                raise desk.BadOrder("An order is a JSON object.")
            row = desk.create(connection, desk.parse_order(body))
        except desk.BadOrder as error:
            return jsonify(error=str(error)), 400
        except desk.KnownReference as error:
            return jsonify(error=f"There is an order {error} already."), 409
    return jsonify(row), 201


@api.get("")
def newest():
    limit = min(max(request.args.get("limit", 20, type=int), 1), 500)
    with transaction() as connection:
        return jsonify(orders=desk.newest(connection, limit))


@api.get("/count")
def count():
    with transaction() as connection:
        return jsonify(count=desk.count(connection))


@api.get("/<reference>")
def one(reference):
    with transaction() as connection:
        row = desk.find(connection, reference)
    if row is None:
        return jsonify(error=f"There is no order {reference}."), 404
    return jsonify(row)
