"""Saved views: a filter and a period under a name, for one person or for everybody."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from streams.rules import PatternError, compile_text
from streams.when import parse_moment

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class SavedView(models.Model):
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    # Everybody who may log in sees a shared one; only its owner changes it.
    shared = models.BooleanField(default=False)
    # A text expression, or an event pattern.
    query = models.TextField(blank=True, max_length=10_000)
    # As a person wrote them, so that "2h" stays two hours ago.
    since = models.CharField(max_length=40, blank=True)
    until = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="view_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A view that could not be opened is not saved."""
        errors: dict[str, str] = {}
        try:
            compile_text(self.query)
        except PatternError as error:
            errors["query"] = str(error)
        for field in ("since", "until"):
            try:
                parse_moment(getattr(self, field) or "0s", timezone.now())
            except ValueError as error:
                errors[field] = str(error)
        if errors:
            raise ValidationError(errors)


def views_of(user: "User") -> "models.QuerySet[SavedView]":
    """Those the user may open: their own and the shared ones."""
    return SavedView.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner")
