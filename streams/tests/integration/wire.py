"""Values as boto3 takes them, spelled as a stream's JSON has them."""

import base64
from typing import Any


def wire(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64encode(content).decode()}
    if kind == "BS":
        return {kind: [base64.b64encode(member).decode() for member in content]}
    if kind == "M":
        return {kind: {name: wire(member) for name, member in content.items()}}
    if kind == "L":
        return {kind: [wire(member) for member in content]}
    return value
