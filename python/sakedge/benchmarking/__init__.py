"""How fast a student is on a machine, what it needs, and whether two measurements differ."""

from sakedge.benchmarking.benchmark import benchmark
from sakedge.benchmarking.comparison import Comparison, compare
from sakedge.benchmarking.plan import Plan
from sakedge.benchmarking.reading import read_record
from sakedge.benchmarking.record import Record

__all__ = ["Comparison", "Plan", "Record", "benchmark", "compare", "read_record"]
