"""Hypothesis without a deadline: a property is about values, and a busy machine is no counterexample."""

from hypothesis import settings

settings.register_profile("domain", deadline=None)
settings.load_profile("domain")
