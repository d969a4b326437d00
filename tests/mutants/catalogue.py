"""The mutants: each breaks one promise in the smallest way in which such a promise is broken elsewhere."""

from typing import NamedTuple


class Patch(NamedTuple):
    """A text of a file, which stands there once, and what it becomes."""

    file: str
    old: str
    new: str


class Mutant(NamedTuple):
    """A way to break a promise, and the test that has to notice."""

    name: str
    promise: str
    patches: tuple[Patch, ...]
    test: str


FEEDING, WORK, ACCESS = "app/models/feeding.py", "app/core/work.py", "app/access.py"

MUTANTS = [
    Mutant(
        "sequence cursor",
        "number k+1 exists only after k is visible",
        (
            Patch(
                FEEDING,
                "ORDER BY h.unit_code, h.audience FOR NO KEY UPDATE;",
                "ORDER BY h.unit_code, h.audience;",
            ),
            Patch(
                FEEDING,
                "h.seq + row_number() OVER (PARTITION BY d.unit_code, a.audience ORDER BY d.place) AS seq",
                "nextval('public.feed_numbers') AS seq",
            ),
            Patch(
                FEEDING, "SET seq = t.seq, hash = t.hash", "SET seq = greatest(h.seq, t.seq), hash = t.hash"
            ),
            Patch(
                FEEDING,
                '    "CREATE AGGREGATE feed_chain (bytea, text)',
                '    "CREATE SEQUENCE feed_numbers",\n    "CREATE AGGREGATE feed_chain (bytea, text)',
            ),
        ),
        "tests/sync/test_cursor.py::test_a_writer_stopped_anywhere_is_missed_by_nobody[number]",
    ),
    Mutant(
        "timestamp cursor",
        "a cursor is a number, not a time",
        (
            Patch(
                "app/services/sync/feed_pages.py",
                "AND f.seq > c.seq\n        ORDER BY f.seq LIMIT $5) f",
                "AND f.at > coalesce((SELECT s.at FROM feed s WHERE s.township_code = $1 AND s.seq = c.seq\n"
                "                AND s.unit_code = c.unit_code AND s.audience = c.audience), '-infinity')\n"
                "        ORDER BY f.at, f.seq LIMIT $5) f",
            ),
        ),
        "tests/sync/test_cursor.py::test_a_writer_stopped_anywhere_is_missed_by_nobody[record]",
    ),
    Mutant(
        "counters outside the transaction",
        "counters and facts are written together",
        (
            Patch(WORK, "    told: bool = False\n", '    told: bool = False\n    later: str = ""\n'),
            Patch(
                WORK,
                "await self.sql.execute(counters)",
                'self.later = f"BEGIN;{counters};COMMIT"',
            ),
            Patch(
                WORK,
                'await self.link.commit(";".join(filter(None, (counters, f"SELECT FROM {feed}" if feed else ""))))',
                'await self.link.commit(";".join(filter(None, (counters, f"SELECT FROM {feed}" if feed else ""))))\n'
                "        if self.later:\n            await self.sql.execute(self.later)",
            ),
        ),
        "tests/sync/test_locks.py::test_counters_and_facts_are_written_together",
    ),
    Mutant(
        "check, then insert",
        "of parallel deliveries one claims the operation",
        (
            Patch(
                "app/services/sync/ledger.py",
                "ORDER BY n.id\nON CONFLICT DO NOTHING RETURNING id",
                "WHERE NOT EXISTS (SELECT 1 FROM operations o WHERE o.township_code = $1 AND o.id = n.id)\n"
                "ORDER BY n.id\nRETURNING id",
            ),
        ),
        "tests/sync/test_locks.py::test_twelve_deliveries_at_once_are_one",
    ),
    Mutant(
        "reply before commit, online",
        "a 2xx means that the write is durable",
        (
            Patch(
                ACCESS,
                'return Depends(Door(permission), scope="function")',
                "return Depends(Door(permission))",
            ),
        ),
        "tests/sync/test_locks.py::test_no_answer_before_the_commit[online]",
    ),
    Mutant(
        "reply before commit, push",
        "a 2xx means that the write is durable",
        (
            Patch(
                ACCESS,
                "        yield work\n        await work.finish()\n    except BaseException:\n"
                "        await work.link.rollback()\n        raise\n",
                "        yield work\n    except BaseException:\n        await work.link.rollback()\n        raise\n"
                "    try:\n        await work.finish()\n    except Exception:\n        await work.link.rollback()\n",
            ),
        ),
        "tests/sync/test_locks.py::test_no_answer_before_the_commit[pushed]",
    ),
    Mutant(
        "last write wins",
        "what contradicts is kept, and somebody looks at it",
        (
            Patch(
                "app/domain/merge.py",
                "if last is None or not author.misses(last):",
                "if last is None or last.rev > 0:",
            ),
        ),
        "tests/api/test_sync_merge.py::test_the_same_field_keeps_the_current_value_and_shows_both",
    ),
    Mutant(
        "pull without the fence",
        "nobody is told anything of another unit",
        (Patch("app/services/lanes.py", "caller.scope if width is Width.OWN else wide for", "wide for"),),
        "tests/sync/test_fence.py::test_nothing_that_is_read_shows_another_unit",
    ),
    Mutant(
        "pull without the gates",
        "a gate sees nothing of another gate of its unit",
        (
            Patch(
                "app/services/sync/scopes.py",
                "AND ($3::uuid[] IS NULL OR id = ANY($3))",
                "AND ($3::uuid[] IS NULL OR id IS NOT NULL)",
            ),
        ),
        "tests/sync/test_fence.py::test_a_gate_sees_nothing_of_another_gate_of_its_unit",
    ),
    Mutant(
        "a record told to nobody",
        "whatever changes is told in the feed",
        (
            Patch(
                "app/services/visits.py",
                "work.touch(RecordKind.VISIT, (visit.item.id for visit in visits))",
                "work.touch(RecordKind.VISIT, ())",
            ),
        ),
        "tests/api/test_sync_push.py::test_pull_tells_what_was_pushed",
    ),
    Mutant(
        "time from the wall clock",
        "within one boot the monotonic clock tells the age",
        (
            Patch(
                "app/domain/op_time.py",
                "if clocks.same_boot and 0 <= age <= LONGEST_BOOT_MS:",
                "if clocks.same_boot and 0 <= age < 0:",
            ),
        ),
        "tests/sync/test_offline_facts.py::test_a_visit_is_as_old_as_the_phones_monotonic_clock_says",
    ),
    Mutant(
        "a record waits for its photo",
        "a record may name a photo before it has arrived",
        (
            Patch(
                "app/services/photos.py",
                "    if uses:\n        author = author_id",
                "    for _, _, sha256 in uses:\n        if await sent_photo(work, sha256) is None:\n"
                "            raise NotFound\n    if uses:\n        author = author_id",
            ),
        ),
        "tests/sync/test_offline_facts.py::test_a_record_does_not_wait_for_its_photo",
    ),
    Mutant(
        "a fault is for ever",
        "what met a fault of the server is tried again when sent again",
        (
            Patch(
                "app/services/sync/ledger.py",
                "return bool((held or broken) and",
                "return bool(held and",
            ),
        ),
        "tests/sync/test_locks.py::test_a_poison_blocks_no_neighbour_and_is_taken_when_its_cause_is_gone",
    ),
    Mutant(
        "one deadlock ends a push",
        "what two writers get in each other's way with is tried again inside",
        (
            Patch("app/services/sync/push.py", "ATTEMPTS = 3", "ATTEMPTS = 1"),
            Patch("app/services/sync/push.py", "PATIENCE = 10.0", "PATIENCE = 0.0"),
        ),
        "tests/sync/test_locks.py::test_a_deadlock_forced_from_outside_is_tried_again_inside",
    ),
    Mutant(
        "a transaction left behind",
        "whoever hangs up during BEGIN leaves no transaction with their lanes open",
        (
            Patch(
                "app/access.py",
                """    try:  # also around BEGIN: whoever hangs up in the middle of it must leave no transaction behind
        await work.link.begin(lanes_of(work.caller, work.township), work.caller.account_id)
""",
                """    await work.link.begin(lanes_of(work.caller, work.township), work.caller.account_id)
    try:
""",
            ),
        ),
        "tests/races/test_begin.py::test_whoever_hangs_up_while_it_begins_leaves_no_transaction",
    ),
    Mutant(
        "one look for all",
        "only those who see the same share what a look saw",
        (
            Patch(
                ACCESS,
                "alike.setdefault((_unnamed(caller), township.code), [])",
                "alike.setdefault((_unnamed(next(iter(seen.values()))[0]), 0), [])",
            ),
        ),
        "tests/api/test_live_together.py::test_of_those_who_look_together_each_is_asked_for_anew",
    ),
    Mutant(
        "whoever is gone hears on",
        "of those who look together each is asked for anew",
        (
            Patch(
                ACCESS,
                "answers.get(claim, Unauthorized())",
                "answers.get(claim, next(iter(answers.values()), Unauthorized()))",
            ),
        ),
        "tests/api/test_live_together.py::test_of_those_who_look_together_each_is_asked_for_anew",
    ),
    Mutant(
        "closed and not cut",
        "a reader who takes nothing is let go of, whatever it has not taken",
        (Patch("app/routers/live.py", "                self._cut()\n", "                pass\n"),),
        "tests/resilience/test_slow_reader.py::test_who_stops_reading_is_let_go_and_resumes",
    ),
]
