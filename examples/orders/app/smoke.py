"""python smoke.py BASE_URL: is this order desk one that may have customers? It changes nothing."""

import json
import re
import sys
from urllib.request import urlopen


def text_of(address):
    with urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def main(base):
    base = base.rstrip("/")
    assert text_of(f"{base}/healthz") == "ok\n", "/healthz is not ok"
    page = text_of(f"{base}/")
    assert "Order desk" in page, "the list of orders is not there"
    for asset in re.findall(r'href="(/static/[^"]+)"', page):
        text_of(base + asset)
    assert "Quantity" in text_of(f"{base}/orders/new"), "nobody could order"
    json.loads(text_of(f"{base}/api/orders?limit=1"))
    print(f"smoke: version {json.loads(text_of(f'{base}/version'))['version']} answers")


if __name__ == "__main__":
    main(sys.argv[1])
