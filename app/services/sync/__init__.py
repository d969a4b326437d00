"""Sync: phones push what they did while they were offline, and pull what others did (contract, section 9).

ops → ledger (claim) → kinds (act, in the groups of `domain/op_order.py`) → reach (what lies in a former unit)
    → feed → ledger (settle) → commit → results

`push.py` tells that story; `feed_pages.py`, `snapshots.py` and `digests.py` the other direction.
"""
