"""Listing, making, changing and deleting saved views. A view is opened by views/search.py."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from dashboard.forms.saved_view import SavedViewForm
from streams.models import SavedView
from streams.models.saved_view import views_of


@require_GET
def views_page(request: HttpRequest) -> HttpResponse:
    """All views that the person may open, their own first."""
    person = access.person(request)
    views = list(views_of(person))
    own = [view for view in views if view.owner_id == person.pk]
    others = [view for view in views if view.owner_id != person.pk]
    return render(request, "views/page.html", {"own": own, "others": others})


def new_view(request: HttpRequest) -> HttpResponse:
    """Save a search under a name."""
    view = SavedView(owner=access.person(request))
    given = {"query": request.GET.get("q", "")}
    given |= {name: request.GET.get(name, "") for name in ("since", "until")}
    return _form(request, SavedViewForm(request.POST or None, instance=view, initial=given))


def edit_view(request: HttpRequest, view_id: int) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=view_id, owner=access.person(request))
    return _form(request, SavedViewForm(request.POST or None, instance=view))


@require_POST
def delete_view(request: HttpRequest, view_id: int) -> HttpResponse:
    get_object_or_404(SavedView, pk=view_id, owner=access.person(request)).delete()
    return redirect("views")


def _form(request: HttpRequest, form: SavedViewForm) -> HttpResponse:
    if form.is_valid():
        return redirect("view", form.save().pk)
    status = 400 if form.is_bound else 200
    return render(request, "views/form.html", {"form": form, "view": form.instance}, status=status)
