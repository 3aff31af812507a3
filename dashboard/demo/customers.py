"""Customers: items with every type DynamoDB has, changed now and then, deleted rarely."""

import copy
from decimal import Decimal
from random import Random
from typing import Any

from dashboard.demo import goods
from dashboard.demo.values import Delete, Item, Put, Update, Write

TABLE = "customers"
MOST = 60
TAGS = ("vip", "newsletter", "trade", "late-payer", "student", "club")
HUGE = 10**37  # 38 digits, as many as DynamoDB holds: no float may come near this number


class Customers:
    def __init__(self) -> None:
        self.known: dict[int, Item] = {}

    def next_write(self, rng: Random, now: int) -> Write:
        missing = [number for number in range(1, MOST + 1) if number not in self.known]
        if missing and (len(self.known) < 5 or rng.random() < 0.3):
            return self._register(rng, missing[0], now)
        number = rng.choice(list(self.known))
        if len(self.known) > MOST // 2 and rng.random() < 0.04:
            del self.known[number]
            return Delete(TABLE, {"customer_no": number})
        return self._change(rng, number)

    def _register(self, rng: Random, number: int, now: int) -> Write:
        name = rng.choice(goods.NAMES)
        customer: Item = {
            "customer_no": number,
            "name": name,
            "email": f"{name.split()[0].lower()}.{number}@example.com",
            "since": now,
            "address": goods.address(rng),
            "contacts": [
                {"kind": "phone", "value": f"+420 {rng.randrange(10**9)}"},
                {"kind": "chat", "value": "", "verified": False},
            ],
            "tags": set(rng.sample(TAGS, rng.randint(1, 3))),
            "sizes": {rng.randint(36, 46), Decimal("42.5")},
            "device_keys": {rng.randbytes(8), rng.randbytes(8)},
            "avatar": rng.randbytes(48),
            "loyalty_number": rng.randrange(HUGE, 10 * HUGE),
            "credit": Decimal(rng.randrange(0, 50_000)) / 100,
            "referred_by": None,
            "nickname": "",
            "blocked": False,
        }
        self.known[number] = customer
        return Put(TABLE, copy.deepcopy(customer))

    def _change(self, rng: Random, number: int) -> Write:
        customer, key = self.known[number], {"customer_no": number}
        values = rng.choice(CHANGES)(rng, customer)
        if not values:
            customer.pop("nickname", None)
            return Update(TABLE, key, remove=("nickname",))
        customer.update(values)
        return Update(TABLE, key, copy.deepcopy(values))


def _moves(rng: Random, customer: Item) -> Item:
    return {"address": goods.address(rng)}


def _tagged(rng: Random, customer: Item) -> Item:
    # At least one stays: DynamoDB has no empty sets.
    tags = customer["tags"] ^ {rng.choice(TAGS)}
    return {"tags": tags or {"club"}}


def _credited(rng: Random, customer: Item) -> Item:
    return {"credit": customer["credit"] + Decimal(rng.randint(-2_000, 3_000)) / 100}


def _verified(rng: Random, customer: Item) -> Item:
    first, *others = copy.deepcopy(customer["contacts"])
    return {"contacts": [first, *({**other, "verified": True} for other in others)]}


def _new_device(rng: Random, customer: Item) -> Item:
    return {"device_keys": {rng.randbytes(8), *sorted(customer["device_keys"])[:2]}}


def _collected(rng: Random, customer: Item) -> Item:
    return {"loyalty_number": min(customer["loyalty_number"] + 1, 10 * HUGE - 1)}


def _named(rng: Random, customer: Item) -> Item:
    """No values: the nickname goes."""
    return {} if customer.get("nickname") else {"nickname": rng.choice(goods.NAMES).split()[0]}


def _referred(rng: Random, customer: Item) -> Item:
    referrer: Any = None if customer["referred_by"] else rng.randint(1, MOST)
    return {"referred_by": referrer}


CHANGES = (_moves, _tagged, _credited, _verified, _new_device, _collected, _named, _referred)
