"""Stock: one counter for each article in each warehouse, going down one by one and up in heaps."""

from random import Random

from dashboard.demo import goods
from dashboard.demo.values import Item, Put, Update, Write

TABLE = "stock"
LOW, DELIVERY = 20, (80, 200)  # pieces; below the first, a delivery of so many comes


class Stock:
    def __init__(self) -> None:
        self.pieces: dict[tuple[str, str], int] = {}

    def next_write(self, rng: Random, now: int) -> Write:
        place = (rng.choice(list(goods.SKUS)), rng.choice(goods.WAREHOUSES))
        if place not in self.pieces:
            self.pieces[place] = rng.randint(*DELIVERY)
            return Put(TABLE, {**_key(place), "pieces": self.pieces[place], "counted_at": now})
        change = rng.randint(*DELIVERY) if self.pieces[place] < LOW else -rng.randint(1, 4)
        self.pieces[place] += change
        stamp = {"delivered_at" if change > 0 else "picked_at": now}
        return Update(TABLE, _key(place), stamp, add={"pieces": change})


def _key(place: tuple[str, str]) -> Item:
    return {"sku": place[0], "warehouse": place[1]}
