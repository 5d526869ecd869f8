"""python smoke.py BASE_URL: an entry that is written can be read."""

import json
import sys
from urllib.request import Request, urlopen


def asked(address, method="GET"):
    with urlopen(Request(address, method=method), timeout=10) as answer:
        return json.load(answer)


base = sys.argv[1]
number = asked(f"{base}/entries?payer=smoke", "POST")["id"]
entry = asked(f"{base}/entries?id={number}")
assert entry["payer"] == "smoke", entry
print(f"smoke: entry {number} is there")
