"""What a transaction that loads much at once asks of the database."""

from app.core.work import Work


async def plan_anew(work: Work) -> None:
    """Let PostgreSQL plan each statement of this transaction for its own values.

    A prepared statement keeps the general plan that it was given when the table was nearly empty, which is to read the
    whole of it and compare every row with every value of the list; while thousands of rows come in, that plan turns
    from the best to the worst (50,000 people: 40 s instead of 10).
    """
    await work.sql.execute("SET LOCAL plan_cache_mode = force_custom_plan")
