"""The small sets and the miniature of the trainer's tests."""

from tests.train.conftest import sets, stack

__all__ = ["sets", "stack"]
