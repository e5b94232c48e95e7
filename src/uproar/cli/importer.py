"""Tokens for the users of a recording, made with the installation's secret."""

import time
from functools import lru_cache
from typing import Final

from uproar.auth import IMPORTER, Identity, make_token
from uproar.cli.token import user_id
from uproar.core.comment import ADMIN
from uproar.core.text import is_id

GOOD_S: Final = 86_400
KEPT: Final = 100_000
NAME_CHARS: Final = 40


class Importer:
    """Speaks for whoever stands in the recording."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.token = lru_cache(KEPT)(self._token)

    def admin(self) -> str:
        """Who may make the stream."""
        return self._signed("replay", "replay", ADMIN)

    def _token(self, user: str) -> str:
        return self._signed(user if is_id(user) else user_id(user) or "somebody", user[:NAME_CHARS], IMPORTER)

    def _signed(self, id: str, name: str, role: str) -> str:
        now_s = time.time()
        return make_token(Identity(id, name, int(now_s) + GOOD_S, (role,)), self._secret, now_s)
