"""Sessions: short-lived items with a time to live, by which the service deletes them."""

import uuid
from random import Random

from dashboard.demo.values import Delete, Item, Put, Update, Write

TABLE = "sessions"
LIFE = 90  # seconds from its last page to the end of a session
# DynamoDB deletes by time to live when it finds the time, AWS within days. A session that is over
# for this long we delete ourselves; where it is gone already nothing happens.
GRACE = 60
LOGGED_OUT = 0.15
MOST = 150


class Sessions:
    def __init__(self) -> None:
        self.ends: dict[str, int] = {}

    def next_write(self, rng: Random, now: int) -> Write:
        over = [token for token, end in self.ends.items() if end + GRACE < now]
        if over:
            return self._delete(over[0])
        alive = [token for token, end in self.ends.items() if end > now + 5]
        if not alive or (len(self.ends) < MOST and rng.random() < 0.6):
            return self._begin(rng, now)
        token = rng.choice(alive)
        if len(self.ends) >= MOST or rng.random() < LOGGED_OUT:
            return self._delete(token)
        self.ends[token] = now + LIFE
        return Update(TABLE, _key(token), {"expires_at": now + LIFE, "page": _page(rng)})

    def _begin(self, rng: Random, now: int) -> Write:
        token = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self.ends[token] = now + LIFE
        item = {"customer_no": rng.randint(1, 60), "page": "/", "expires_at": now + LIFE}
        return Put(TABLE, {**_key(token), **item})

    def _delete(self, token: str) -> Write:
        del self.ends[token]
        return Delete(TABLE, _key(token))


def _key(token: str) -> Item:
    return {"session_id": token}


def _page(rng: Random) -> str:
    return rng.choice(("/", "/tents", "/mugs", "/basket", "/basket/pay", "/account"))
