"""A hook of schemathesis: an acknowledged comment is in every read within a second, so the next call waits for it."""

import time
from urllib.error import HTTPError
from urllib.request import urlopen

import schemathesis

WITHIN_S = 1.0


@schemathesis.hook
def after_call(context, case, response):
    if response.request.method == "POST" and response.status_code == 201:
        (at,) = response.headers["location"]
        url = response.request.url.partition("/v1/")[0] + at
        until = time.monotonic() + WITHIN_S
        while not readable(url):
            assert time.monotonic() < until, f"{at} is not to be read within {WITHIN_S} s"
            time.sleep(0.01)


def readable(url):
    try:
        urlopen(url, timeout=5).close()
    except HTTPError:
        return False
    return True
