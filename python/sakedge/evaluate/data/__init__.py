"""Labelled images as data sets, whatever layout their files have."""

from sakedge.evaluate.data.base import Dataset, Example, subset
from sakedge.evaluate.data.check import check
from sakedge.evaluate.data.opening import KINDS, open_dataset

__all__ = ["KINDS", "Dataset", "Example", "check", "open_dataset", "subset"]
