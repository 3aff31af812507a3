"""Orders: new, paid, packed, shipped, delivered, now and then cancelled or refunded.

They live a few minutes and are deleted when they are old, so the table stays small.
"""

import copy
from decimal import Decimal
from random import Random
from typing import Any

from dashboard.demo import goods
from dashboard.demo.values import Delete, Item, Put, Update, Write

TABLE = "orders"
NEXT = {"new": "paid", "paid": "packed", "packed": "shipped", "shipped": "delivered"}
OPEN_ORDERS = 120  # about as many are on their way at once
KEPT_ORDERS = 400  # finished ones beyond that are deleted, oldest first
CANCELLED, REFUNDED, NOTED = 0.06, 0.05, 0.10  # how likely each is at a step
NOTES = ("Leave it with the neighbour", "Gift: no invoice in the parcel, please", "Ring twice", "")


class Orders:
    def __init__(self) -> None:
        self.open: dict[str, Item] = {}
        self.finished: list[Item] = []
        self.count = 0

    def next_write(self, rng: Random, now: int) -> Write:
        if len(self.finished) > KEPT_ORDERS:
            return Delete(TABLE, _key(self.finished.pop(0)))
        if not self.open or (len(self.open) < OPEN_ORDERS and rng.random() < 0.5):
            return self._place(rng, now)
        if self.finished and rng.random() < REFUNDED:
            return self._refund(rng, now)
        return self._advance(rng, now)

    def _place(self, rng: Random, now: int) -> Write:
        self.count += 1
        lines = [_line(rng) for _ in range(rng.randint(1, 4))]
        order: Item = {
            "customer_id": f"C-{rng.randint(1, 60):04d}",
            "order_id": f"O-{now}-{self.count:06d}",
            "status": "new",
            "total": sum((line["price"] * line["quantity"] for line in lines), Decimal("0.00")),
            "currency": "EUR",
            "lines": lines,
            "ship_to": goods.address(rng),
            "history": [{"status": "new", "at": now}],
            "express": rng.random() < 0.2,
        }
        self.open[order["order_id"]] = order
        return Put(TABLE, copy.deepcopy(order))

    def _advance(self, rng: Random, now: int) -> Write:
        order = self.open[rng.choice(list(self.open))]
        if rng.random() < NOTED and "note" not in order:
            order["note"] = rng.choice(NOTES)
            return Update(TABLE, _key(order), {"note": order["note"]})
        status = NEXT[order["status"]]
        if status in ("paid", "packed") and rng.random() < CANCELLED:
            status = "cancelled"
        extra: Item = {"tracking": f"PX{rng.randrange(10**12):012d}"} if status == "shipped" else {}
        write = _changed(order, status, now, extra)
        if status in ("delivered", "cancelled"):
            self.finished.append(self.open.pop(order["order_id"]))
        return write

    def _refund(self, rng: Random, now: int) -> Write:
        order = rng.choice(self.finished)
        if order["status"] != "delivered":
            return self._advance(rng, now)
        line = rng.choice(order["lines"])
        return _changed(order, "refunded", now, {"total": order["total"] - line["price"]})


def _changed(order: Item, status: str, now: int, extra: Item) -> Update:
    history = [*order["history"], {"status": status, "at": now}]
    values = {"status": status, "history": history, **extra}
    order.update(values)
    return Update(TABLE, _key(order), copy.deepcopy(values))


def _key(order: Item) -> Item:
    return {name: order[name] for name in ("customer_id", "order_id")}


def _line(rng: Random) -> dict[str, Any]:
    sku = rng.choice(list(goods.SKUS))
    title, price = goods.SKUS[sku]
    return {"sku": sku, "title": title, "price": price, "quantity": rng.randint(1, 3)}
