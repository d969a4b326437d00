"""The rules: pure functions from frozen facts, and a clock, to decisions. Standard library only."""
