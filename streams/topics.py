"""Names of channel-layer groups and the shapes of browser messages, shared by both ends.

A wake-up carries no changes: losing one costs at most the hub's timer (one second).
"""

from typing import TypedDict

# Group names must be ASCII and under 100 characters.
FEED_GROUP = "feed"


class FeedAdvanced(TypedDict):
    """Newly numbered batches are visible in the feed."""

    type: str  # "feed.advanced": the method it calls
    position: int


def feed_advanced(position: int) -> FeedAdvanced:
    return {"type": "feed.advanced", "position": position}
