"""What a search asks for: as the person wrote it, in an address, and understood."""

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from django.http import Http404, QueryDict

from dashboard import access
from dashboard.forms.wrong import Wrong
from streams.models import Stream
from streams.models.saved_view import SavedView
from streams.queries.seen import known_names
from streams.rules import Filter, PatternError, compile_text
from streams.rules.expressions.operands import asked as field_of
from streams.rules.operators import Exact
from streams.rules.spelling.value_text import test_text
from streams.when import parse_moment

MOST_TEXT = 10_000


class Asked(NamedTuple):
    """A search as it is written. No streams are all of them; `noise` shows what is hidden else."""

    query: str = ""
    streams: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    oldest_first: bool = False
    noise: bool = False

    @classmethod
    def of(cls, given: QueryDict) -> "Asked":
        return cls(
            given.get("q", "")[:MOST_TEXT],
            tuple(dict.fromkeys(given.getlist("stream"))),
            given.get("since", "")[:40],
            given.get("until", "")[:40],
            given.get("order") == "oldest",
            given.get("noise") == "show",
        )

    @classmethod
    def of_view(cls, view: SavedView, given: QueryDict) -> "Asked":
        asked = cls.of(given)
        return asked._replace(query=view.query, since=view.since, until=view.until)

    def url(self, **more: str) -> str:
        """The parameters of this search's address, with some more."""
        given: dict[str, Any] = {"q": self.query, "stream": self.streams}
        given |= {"since": self.since, "until": self.until}
        given |= {"order": "oldest" if self.oldest_first else ""}
        given |= {"noise": "show" if self.noise else "", **more}
        kept = {name: value for name, value in given.items() if value or name == "q"}
        return urlencode(kept, doseq=True, quote_via=quote)

    @property
    def live_url(self) -> str:
        """The parameters of the live feed with the same filter."""
        return Asked(self.query, self.streams, noise=self.noise).url()

    @property
    def everything(self) -> bool:
        """True without a filter."""
        return not self.query.strip()

    def adding(self, condition: str) -> "Asked | None":
        """With one more condition; None if the filter is a pattern that no expression can say."""
        text = self.query.strip()
        if text.startswith("{"):
            text = compile_text(text).expression() or ""
            if not text:
                return None
        if re.search(r"\bOR\b", text):
            text = f"({text})"
        return self._replace(query=f"{text} {condition}".strip())

    @property
    def as_text(self) -> str:
        """The filter with the chosen streams in it, for a view, which keeps only the one text."""
        if not self.streams:
            return self.query
        names = ",".join(test_text(Exact(name), field_of("stream")) for name in self.streams)
        added = self.adding(f"stream:{names}")
        return added.query if added else self.query


class Question(NamedTuple):
    """A search that was understood. `streams` None are all of them."""

    asked: Asked
    filter: Filter
    streams: list[Stream] | None
    since: datetime | None
    until: datetime | None

    @property
    def bounds(self) -> dict[str, Any]:
        """As the queries take it."""
        return {"streams": self.streams, "since": self.since, "until": self.until}

    @property
    def all_streams(self) -> list[Stream]:
        return list(Stream.objects.all()) if self.streams is None else self.streams


def understood(asked: Asked) -> Question | Wrong:
    """The question, or what is wrong with it. Http404 for a stream that may not be seen."""
    streams = chosen(asked.streams)
    try:
        filter_ = compiled(asked.query, streams)
    except PatternError as error:
        return Wrong.of(error)
    now, moments = datetime.now(UTC), {}
    for name in ("since", "until"):
        text = getattr(asked, name)
        try:
            moments[name] = parse_moment(text, now) if text else None
        except ValueError as error:
            return Wrong(name, str(error))
    since, until = moments["since"], moments["until"]
    if since and until and since >= until:
        return Wrong("until", "The time to which is searched is not after that from which.")
    return Question(asked, filter_, streams, since, until)


def chosen(names: tuple[str, ...]) -> list[Stream] | None:
    if not names:
        return None
    ids = access.visible_streams(names)
    if missing := [name for name in names if name not in ids]:
        raise Http404(f"There is no stream “{missing[0]}” that you may see.")
    return list(Stream.objects.filter(pk__in=ids.values()))


def compiled(query: str, streams: list[Stream] | None) -> Filter:
    """The filter, with doubts about names that the newest changes do not have."""
    if not query.strip():
        return compile_text("")
    return compile_text(query, known_names([s.pk for s in streams] if streams else None))
