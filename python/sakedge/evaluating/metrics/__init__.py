"""The metrics of docs/model.md, section 8, and agreement with another student, without labels.

What a metric measures of an image are sums (*sufficient statistics*): those of many images are
added up, and the value is made of the sums. So a value is pooled over the pixels of a data set, as
the official evaluations define it, and can be made again for any part of the data set.
"""

from sakedge.evaluating.metrics.base import Agreement, Metric
from sakedge.evaluating.metrics.boundaries import BoundaryF
from sakedge.evaluating.metrics.curve import Curve
from sakedge.evaluating.metrics.labels import LabelAgreement, MeanIoU
from sakedge.evaluating.metrics.normals import MeanAngle
from sakedge.evaluating.metrics.regions import RegionF
from sakedge.evaluating.metrics.scalar import RelativeError, RootMeanSquare
from sakedge.evaluating.metrics.table import agreement_for, metric_for

__all__ = [
    "Agreement",
    "BoundaryF",
    "Curve",
    "LabelAgreement",
    "MeanAngle",
    "MeanIoU",
    "Metric",
    "RegionF",
    "RelativeError",
    "RootMeanSquare",
    "agreement_for",
    "metric_for",
]
