"""The kit: settings, database, fence, work, problems. It knows no noun of the township."""
