"""The report of an evaluation: one HTML page that needs no other file and no network."""

from sakedge.evaluating.report.page import write_report

__all__ = ["write_report"]
