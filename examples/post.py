"""Post one comment as a guest, with the standard library alone: python post.py STREAM NAME TEXT [SERVER]."""

import json
import secrets
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def call(url: str, body: dict, **headers: str) -> dict:
    """POST a JSON body; the answer's body."""
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"} | headers)
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def main(stream: str, name: str, text: str, server: str = "http://127.0.0.1:8080") -> None:
    token = call(f"{server}/v1/guests", {"name": name})["token"]
    # Send again with the same key when the answer is 503: the comment is kept once.
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(16)}
    comment = call(f"{server}/v1/streams/{stream}/comments", {"text": text}, **headers)
    print(comment["id"], comment["user"]["name"], comment["text"])


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("Run it as: python post.py STREAM NAME TEXT [SERVER]")
    try:
        main(*sys.argv[1:])
    except HTTPError as refusal:
        sys.exit(json.load(refusal)["message"])
    except (OSError, ValueError) as fault:
        sys.exit(f"No answer from the server: {getattr(fault, 'reason', fault)}")
