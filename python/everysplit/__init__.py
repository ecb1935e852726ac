"""Runs a test with every split of a byte stream into chunks."""

from everysplit.decorator import every_split

__all__ = ["every_split"]
