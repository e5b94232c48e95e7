"""Make a token for one of your own users, in your own backend, with PyJWT.

Run as `UPROAR_SECRET=… python backend_token.py ID NAME`. The secret is the server's: its own `UPROAR_SECRET`, or the
file `secret` in its data directory. It never leaves the backend.
"""

import os
import sys
import time

try:
    import jwt
except ImportError:
    sys.exit("This needs PyJWT: pip install PyJWT")


def token(user_id: str, name: str, secret: str, hold_s: int = 3600) -> str:
    """Who the user is, signed; add `roles`, `verified`, `since` (when the account was made, in s) where they apply."""
    return jwt.encode({"sub": user_id, "name": name, "exp": int(time.time()) + hold_s}, secret, algorithm="HS256")


if __name__ == "__main__":
    if len(sys.argv) != 3 or not os.environ.get("UPROAR_SECRET"):
        sys.exit("Run it as: UPROAR_SECRET=… python backend_token.py ID NAME")
    print(token(*sys.argv[1:], os.environ["UPROAR_SECRET"]))
