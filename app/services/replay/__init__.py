"""The counters once more, from what they count: the records, and the feed that tells when each came and changed.

`replay` gives what the counters of a day must say when of each unit the feed had come so far and no further. So a
report that was frozen names its positions and can be made again at any time, and what came later can be listed.
Without positions every record counts, whether the feed tells of it or not: that is what `wangge recount` compares.
"""

from app.services.replay.replaying import Counters, replay

__all__ = ["Counters", "replay"]
