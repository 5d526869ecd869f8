"""What to ask an application, and how to know that the answer is right and meant for us."""

import hashlib
import json
from random import Random
from typing import Any

from traffic.wire import Answer, Question

KNOWN = 1000  # created references to choose from when reading back
LARGEST_BODY = 8000
UPLOAD_BYTES = 200_000


def status_flaw(answer: Answer, wanted: int) -> str:
    return "" if answer.status == wanted else f"status {answer.status}"


class Kinds:
    """The application `apps/kinds`: it says back what is said."""

    def get(self, token: str, _random: Random) -> Question:
        return Question(path=f"/echo?say={token}", flaw=lambda answer: _echo_flaw(answer, token))

    def post(self, token: str, random: Random) -> Question:
        said = (token + " ") * random.randint(1, LARGEST_BODY // (len(token) + 1))
        return Question(
            method="POST",
            path="/echo",
            body=said.encode(),
            flaw=lambda answer: _echo_flaw(answer, said),
            reference=token,
        )

    def created(self, reference: str) -> None:
        """Nothing to read back."""

    def slow(self, token: str, seconds: float) -> Question:
        return Question(
            path=f"/slow?seconds={seconds:g}&say={token}",
            flaw=lambda answer: _echo_flaw(answer, token),
            seconds=seconds,
        )

    def upload(self, random: Random, seconds: float) -> Question:
        body = random.randbytes(UPLOAD_BYTES)
        right = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        return Question(
            method="POST",
            path="/upload",
            body=body,
            flaw=lambda answer: _json_flaw(answer, 201, right),
            seconds=seconds,
        )


class Orders:
    """The order desk of examples/orders. Reads back what it created: a lost row is a failure."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def get(self, _token: str, random: Random) -> Question:
        if self._known and random.random() < 0.5:
            reference = random.choice(self._known)
            return Question(
                path=f"/api/orders/{reference}",
                flaw=lambda answer: _json_flaw(answer, 200, {"reference": reference}),
            )
        return Question(path="/api/orders?limit=5", flaw=_list_flaw)

    def post(self, token: str, random: Random) -> Question:
        order = {
            "reference": token,
            "customer": f"Customer {random.randint(1, 500)}",
            "email": "load@example.com",
            "article": random.choice(["Bird house", "Hammock", "Flower box, larch"]),
            "quantity": random.randint(1, 5),
        }
        return Question(
            method="POST",
            path="/api/orders",
            body=json.dumps(order).encode(),
            content_type="application/json",
            flaw=lambda answer: _json_flaw(answer, 201, {"reference": token}),
            reference=token,
        )

    def created(self, reference: str) -> None:
        self._known.append(reference)
        del self._known[:-KNOWN]


def dialect(name: str) -> Kinds | Orders:
    return Orders() if name == "orders" else Kinds()


def _echo_flaw(answer: Answer, said: str) -> str:
    return status_flaw(answer, 200) or ("" if answer.body == said.encode() else "wrong body")


def _json_flaw(answer: Answer, status: int, wanted: dict[str, Any]) -> str:
    flaw = status_flaw(answer, status)
    if flaw:
        return flaw
    value = _parsed(answer)
    right = isinstance(value, dict) and all(value.get(key) == wanted[key] for key in wanted)
    return "" if right else "wrong body"


def _list_flaw(answer: Answer) -> str:
    flaw = status_flaw(answer, 200)
    if flaw:
        return flaw
    value = _parsed(answer)
    right = isinstance(value, dict) and isinstance(value.get("orders"), list)
    return "" if right else "wrong body"


def _parsed(answer: Answer) -> object:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None
