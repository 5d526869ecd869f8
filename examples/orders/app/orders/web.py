"""The pages of the order desk."""

import os
from functools import cache
from pathlib import Path

import psycopg
import psycopg_pool
from flask import (
    Flask,
    abort,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)

from orders import __version__, attachments, desk
from orders.api import api
from orders.database import transaction
from orders.logs import start_logging

RELEASE = os.environ.get("DAYFLY_RELEASE", "-")
MACHINE = os.environ.get("DAYFLY_MACHINE", "-")

start_logging()
app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
app.config["MAX_CONTENT_LENGTH"] = 32 * 1024 * 1024
app.register_blueprint(api)


@app.template_global()
@cache
def asset(name):
    """The address of a static file whose name carries a hash of its content."""
    stem, suffix = name.split(".")
    (file,) = Path(app.static_folder).glob(f"{stem}.*.{suffix}")
    return url_for("static", filename=file.name)


@app.template_filter()
def euro(cents):
    return f"€ {cents / 100:,.2f}"


@app.context_processor
def about():
    return {"version": __version__, "release": RELEASE, "machine": MACHINE}


@app.after_request
def tell_who_answered(response):
    response.headers["X-Release"] = RELEASE
    response.headers["X-Machine"] = MACHINE
    return response


@app.get("/healthz")
def healthz():
    try:
        with transaction() as connection:
            connection.execute("SELECT 1 FROM orders LIMIT 1")
    except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
        return f"the database does not answer: {error}\n", 503
    return "ok\n"


@app.get("/version")
def version():
    return jsonify(version=__version__, release=RELEASE, machine=MACHINE)


@app.get("/")
def orders():
    with transaction() as connection:
        return render_template(
            "orders.html", orders=desk.newest(connection, 50), count=desk.count(connection)
        )


@app.get("/orders/new")
def new():
    return render_template("new.html", articles=desk.ARTICLES, form={})


@app.post("/orders")
def create():
    with transaction() as connection:
        try:
            row = desk.create(connection, desk.parse_order(request.form))
        except (desk.BadOrder, desk.KnownReference) as error:
            known = isinstance(error, desk.KnownReference)
            flash(f"There is an order {error} already." if known else str(error))
            page = render_template("new.html", articles=desk.ARTICLES, form=request.form)
            return page, 409 if known else 400
    flash(f"Order {row['reference']} is in. The confirmation goes to {row['email']}.")
    return redirect(url_for("order", reference=row["reference"]), 303)


@app.get("/orders/<reference>")
def order(reference):
    with transaction() as connection:
        row = desk.find(connection, reference) or abort(404)
        return render_template("order.html", order=row, files=attachments.of(connection, row))


@app.post("/orders/<reference>/ship")
def ship(reference):
    with transaction() as connection:
        desk.ship(connection, reference)
    return redirect(url_for("order", reference=reference), 303)


@app.post("/orders/<reference>/files")
def add_file(reference):
    with transaction() as connection:
        row = desk.find(connection, reference) or abort(404)
        if request.files.get("file"):
            attachments.add(connection, row, request.files["file"])
    return redirect(url_for("order", reference=reference), 303)


@app.get("/orders/<reference>/files/<int:number>")
def get_file(reference, number):
    with transaction() as connection:
        row = desk.find(connection, reference) or abort(404)
        file = attachments.find(connection, row, number) or abort(404)
    return send_from_directory(
        attachments.FOLDER.resolve(), file["file"], as_attachment=True, download_name=file["name"]
    )
