"""How well a student does its tasks: configurations, ablation, advice, reports."""

from sakedge.evaluating.advice import Advice
from sakedge.evaluating.advise import advise
from sakedge.evaluating.evaluate import evaluate
from sakedge.evaluating.evaluation import Evaluation

__all__ = ["Advice", "Evaluation", "advise", "evaluate"]
