"""What the shop sells, to whom, and where things lie: the words its items are made of."""

from decimal import Decimal
from random import Random

SKUS = {
    "MUG-BLUE": ("Blue enamel mug", Decimal("12.90")),
    "MUG-RED": ("Red enamel mug", Decimal("12.90")),
    "TENT-2P": ("Tent for two", Decimal("249.00")),
    "STOVE-S": ("Small gas stove", Decimal("64.50")),
    "LAMP-H": ("Head lamp, 300 lm", Decimal("39.95")),
    "ROPE-60": ("Climbing rope, 60 m", Decimal("189.00")),
    "SOCK-W": ("Wool socks", Decimal("17.50")),
    "MAP-TATRA": ("Map of the High Tatras", Decimal("9.80")),
    "BOTTLE-1L": ("Steel bottle, 1 l", Decimal("24.00")),
    "PACK-45": ("Rucksack, 45 l", Decimal("159.99")),
}
WAREHOUSES = ("BRQ-1", "VIE-2", "HAM-1")
NAMES = (
    "Anna Nováková",
    "Bob O'Hara",
    "Chloë Dubois",
    "Eva Müller",
    "Filip Kowalski",
    "Giulia Rossi",
    "Hiro 田中",
    "Ingrid Ødegård",
)
STREETS = ("Lidická", "Main Street", "Rue du Lac", "Hauptstraße", "Via Roma", "Storgata")
CITIES = (
    ("Brno", "602 00", "CZ"),
    ("Wien", "1010", "AT"),
    ("Lyon", "69001", "FR"),
    ("Hamburg", "20095", "DE"),
    ("Oslo", "0150", "NO"),
)


def address(rng: Random) -> dict[str, object]:
    city, code, country = rng.choice(CITIES)
    return {
        "street": f"{rng.choice(STREETS)} {rng.randint(1, 120)}",
        "city": city,
        "postcode": code,  # a leading zero must survive, so it is no number
        "country": country,
    }
