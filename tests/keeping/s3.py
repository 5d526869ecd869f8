"""S3 by the variables of a machine, with nothing but the standard library.

`s3.py put KEY TEXT` and `s3.py get KEY`.
"""

import hashlib
import hmac
import os
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import urlsplit


def call(method: str, key: str, body: bytes = b"") -> bytes:
    """One request to the app's own bucket, signed with the keys of the machine."""
    url = f"{os.environ['AWS_ENDPOINT_URL']}/{os.environ['DAYFLY_BUCKET']}/{key}"
    request = urllib.request.Request(url, data=body or None, method=method)
    for name, value in signed(method, url, body).items():
        request.add_header(name, value)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def signed(method: str, url: str, body: bytes) -> dict[str, str]:
    """Signature version 4, in headers."""
    at, parts = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", urlsplit(url)
    payload = hashlib.sha256(body).hexdigest()
    headers = {"host": parts.netloc, "x-amz-content-sha256": payload, "x-amz-date": at}
    names = ";".join(headers)
    lines = [f"{name}:{value}\n" for name, value in headers.items()]
    canonical = "\n".join([method, parts.path, "", "".join(lines), names, payload])
    scope = f"{at[:8]}/{os.environ['AWS_REGION']}/s3/aws4_request"
    told = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{told}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    return headers | {
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, "
        f"SignedHeaders={names}, Signature={signature}"
    }


if __name__ == "__main__":
    try:
        if sys.argv[1] == "put":
            call("PUT", sys.argv[2], sys.argv[3].encode())
        else:
            sys.stdout.write(call("GET", sys.argv[2]).decode() + "\n")
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())
