"""How well a student does its tasks: metrics with their intervals, data sets, reports."""

from sakedge.evaluating.evaluate import evaluate
from sakedge.evaluating.evaluation import Evaluation

__all__ = ["Evaluation", "evaluate"]
