"""Changes that were never read from the source, found while somebody looks."""

from typing import NamedTuple

from django.urls import reverse

from streams.models import Gap
from streams.when import spell_moment

# At once; a hundred shards that are lost together are told of by a few.
_MOST = 20


class CollectionGap(NamedTuple):
    id: int
    stream_id: int
    stream: str
    text: str

    @property
    def url(self) -> str:
        """The stream's page, which lists its gaps."""
        return reverse("stream", args=[self.stream])


def after(last: int | None) -> list[CollectionGap]:
    """The gaps with a higher id, oldest first; with None the newest one, to go on from."""
    gaps = Gap.objects.select_related("stream").filter(harmless_at=None).order_by("-id")
    found = gaps[:1] if last is None else gaps.filter(pk__gt=last)[:_MOST]
    told = [CollectionGap(gap.pk, gap.stream_id, gap.stream.name, _text(gap)) for gap in found]
    return told[::-1]


def _text(gap: Gap) -> str:
    since = f"between {spell_moment(gap.from_at)} and" if gap.from_at else "before"
    return (
        f"Changes of {gap.stream.name} {since} {spell_moment(gap.to_at)} may be missing: "
        f"{gap.get_reason_display()}."
    )
