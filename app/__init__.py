"""wangge (网格): a township's epidemic control as a REST API."""

__version__ = "0.1.0"
