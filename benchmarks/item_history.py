"""How long do the pages of one item take, among many changes and for an item that changes all day?

    .venv/bin/python benchmarks/item_history.py [--json] [--rows N] [--queries N]

Fills a stream with N changes of orders over 30 days, ten of each order, and 10,000 of one that is
hot. Asks the pages of random orders, and of the hot one, as a logged-in user: p50 and p95 of the
server's time in milliseconds.

    history     the newest page        jump    a page in the middle, with its comparison
    as_of       at a random moment     field   one field over time
    blame       the page               blame_query   the question alone
    evidence    of ten versions        undo    the plan to go back to a random version
"""

import argparse
import json
import random
import shutil
import statistics
import time
from collections.abc import Callable
from typing import Any

from database import ROOT, fresh_database
from stored_orders import Orders, fill

HOT_VERSIONS = 10_000
ROW_BYTES, SPARE_BYTES = 1_500, 5_000_000_000


class WithHotOrder(Orders):
    """Of the changes `HOT_VERSIONS`, evenly over the time, are of one order."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._every = max(self.number // HOT_VERSIONS, 2)

    def hot(self) -> str:
        return self.key(self.orders)

    def _change(self, n: int) -> Any:
        import msgspec

        from streams.item_key import item_bytes

        change = super()._change(n)
        # Shifted with every version, or some orders would be hot in all of theirs.
        if (n + n // self.orders) % self._every:
            return change
        version = n // self._every
        keys = f'{{"order_id":{{"S":"{self.hot()}"}}}}'.encode()
        # A field in a thousand versions, as the addresses of the other orders.
        return msgspec.structs.replace(
            change,
            item=item_bytes(self.stream.pk, keys),
            keys=keys,
            old=self._image(self.orders, version, self._filler),
            new=self._image(self.orders, version + 1, self._filler),
            changed=("status", "total", "updated_at") if version % 3 else ("status", "updated_at"),
        )


def measure(rows: int, queries: int) -> dict[str, float]:
    from datetime import UTC, datetime

    from streams.testing.factories import make_shard, make_stream

    stream = make_stream("orders", key_schema=[["order_id", "S"]])
    orders = WithHotOrder(stream, rows, 350)
    begun = time.perf_counter()
    fill(orders, make_shard(stream, newest_change_at=datetime.now(UTC)))
    answers = {"fill_seconds": time.perf_counter() - begun}
    for kind, key in (
        ("order", lambda dice: orders.key(dice.randrange(orders.orders))),
        ("hot", lambda dice: orders.hot()),
    ):
        for name, ask in questions(orders, key).items():
            answers |= percentiles(f"{kind}_{name}", ask, queries)
    return answers


def questions(orders: Any, key: Callable[[random.Random], str]) -> dict[str, Callable[[], None]]:
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    from streams.item_key import canonical, item_id, token
    from streams.queries.blame import blame
    from streams.queries.history import marks

    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    settings.ALLOWED_HOSTS = ["*"]
    user, _ = User.objects.get_or_create(username="benchmark")
    client = Client()
    client.force_login(user)
    dice = random.Random(7)

    def item() -> tuple[str, Any]:
        spelled = canonical({"order_id": {"S": key(dice)}})
        return f"/items/orders/{token(spelled)}", item_id(orders.stream.pk, spelled)

    def get(path: str, follow: bool = False) -> None:
        answer = client.get(path, follow=follow)
        assert answer.status_code == 200, (path, answer.status_code)

    def moment() -> str:
        return str(orders.time_of(0.2 + dice.random() * 0.8).isoformat().replace("+00:00", "Z"))

    def evidence() -> None:
        path, item_ = item()
        found = marks(orders.stream.pk, item_, None, 10)
        get(f"{path}/evidence?first={found[-1].id}&last={found[0].id}")

    def undo() -> None:
        path, item_ = item()
        get(f"{path}/undo/{dice.choice(marks(orders.stream.pk, item_, None, 10)).id}")

    return {
        "history": lambda: get(item()[0]),
        "jump": lambda: get(f"{item()[0]}?at={moment()}", follow=True),
        "as_of": lambda: get(f"{item()[0]}?asof={moment()}"),
        "field": lambda: get(f"{item()[0]}?field=status"),
        "blame": lambda: get(f"{item()[0]}/blame"),
        "blame_query": lambda: _some(blame(orders.stream, item()[1]).attributes),
        "evidence": evidence,
        "undo": undo,
    }


def _some(found: Any) -> None:
    assert found


def percentiles(name: str, question: Callable[[], None], queries: int) -> dict[str, float]:
    seconds = []
    question()  # templates are compiled once
    for _ in range(queries):
        begun = time.perf_counter()
        question()
        seconds.append(time.perf_counter() - begun)
    cuts = statistics.quantiles(seconds, n=20)
    return {f"{name}_p50_ms": cuts[9] * 1_000, f"{name}_p95_ms": cuts[18] * 1_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=60, help="of each kind")
    options = parser.parse_args()
    needed = options.rows * ROW_BYTES + SPARE_BYTES
    if shutil.disk_usage(ROOT).free < needed:
        parser.error(f"this needs {needed / 1e9:.0f} GB of disk: use fewer --rows")
    with fresh_database():
        answers = measure(options.rows, options.queries)
    said = {"rows": options.rows, **{name: round(n, 2) for name, n in answers.items()}}
    if options.json:
        print(json.dumps(said))
        return
    for name, figure in said.items():
        print(f"{name:<34} {figure:>14,.2f}")


if __name__ == "__main__":
    main()
