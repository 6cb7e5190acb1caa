"""How well a student does its tasks: metrics with their intervals, data sets, reports."""
