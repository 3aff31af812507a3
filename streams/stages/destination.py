"""Where alerts are sent, kept: every change of a destination is an edit with who and when. What is
secret in it is in no edit."""

from typing import Any

from django.db import transaction

from streams.destinations.base import DestinationError
from streams.destinations.registry import kind_of, open_destination
from streams.models import Delivery, Destination, Edit

_SECRET = "(secret)"  # noqa: S105 - a word that stands for one


class InUse(DestinationError):
    """A destination that something refers to is not deleted."""


def save_destination(
    who: str,
    name: str,
    options: dict[str, Any],
    *,
    kind: str = "",
    enabled: bool = True,
    kept: Destination | None = None,
) -> Destination:
    """Make a destination of this kind, or change `kept`, whose kind stays. DestinationError
    (WrongOption, with the option's name) if its options cannot work."""
    kind = kept.kind if kept else kind
    cleaned = open_destination(kind, options).as_dict()
    before = _content(kept) if kept else None
    destination = kept or Destination(kind=kind)
    destination.name, destination.options, destination.enabled = name, cleaned, enabled
    with transaction.atomic():
        destination.save()
        _note(who, destination, before, _content(destination))
    return destination


def delete_destination(who: str, destination: Destination) -> None:
    """InUse if a rule sends there, or alerts were sent: they tell where."""
    with transaction.atomic():
        Destination.objects.select_for_update().get(pk=destination.pk)
        if destination.rules.exists() or destination.escalations.exists():
            raise InUse("Rules send there.", "Take it out of them first.")
        if destination.deliveries.exclude(reason=Delivery.Reason.TEST).exists():
            raise InUse(
                "Alerts were sent there, and their pages tell of it.", "Switch it off instead."
            )
        _note(who, destination, _content(destination), None)
        destination.delete()


def _content(destination: Destination) -> dict[str, Any]:
    options = dict(destination.options)
    return {
        "name": destination.name,
        "kind": destination.kind,
        "enabled": destination.enabled,
        **options,
    }


def _note(
    who: str,
    destination: Destination,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    secrets = {option.name for option in kind_of(destination.kind).options if option.secret}
    fields = {}
    for name in {**(before or {}), **(after or {})}:
        pair = [(side or {}).get(name) for side in (before, after)]
        if pair[0] != pair[1]:
            fields[name] = [_SECRET if v and name in secrets else v for v in pair]
    if fields:
        Edit.objects.create(who=who, what=f"destination {destination.name}", fields=fields)
