"""Pages about records that a buyer can read: one HTML file each, no network, no scripts."""

from sakedge.benchmarking.report.page import write_comparison, write_record

__all__ = ["write_comparison", "write_record"]
