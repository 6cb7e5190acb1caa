"""Labelled images as data sets, whatever layout their files have."""

from sakedge.evaluating.data.base import Dataset, Example, evenly, subset
from sakedge.evaluating.data.check import check
from sakedge.evaluating.data.opening import KINDS, as_dataset, open_dataset

__all__ = ["KINDS", "Dataset", "Example", "as_dataset", "check", "evenly", "open_dataset", "subset"]
