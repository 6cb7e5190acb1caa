"""Labelled images as data sets, whatever layout their files have."""

from sakedge.measuring.data.base import Dataset, Example, evenly, subset
from sakedge.measuring.data.check import check
from sakedge.measuring.data.opening import KINDS, as_dataset, open_dataset

__all__ = ["KINDS", "Dataset", "Example", "as_dataset", "check", "evenly", "open_dataset", "subset"]
