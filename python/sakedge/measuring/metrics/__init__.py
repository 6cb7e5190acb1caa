"""The metrics of docs/model.md, section 8, and agreement with another student, without labels.

What a metric measures of an image are sums (*sufficient statistics*): those of many images are
added up, and the value is made of the sums. So a value is pooled over the pixels of a data set, as
the official evaluations define it, and can be made again for any part of the data set.
"""

from sakedge.measuring.metrics.base import Agreement, Metric
from sakedge.measuring.metrics.boundaries import BoundaryF
from sakedge.measuring.metrics.curve import Curve
from sakedge.measuring.metrics.labels import LabelAgreement, MeanIoU
from sakedge.measuring.metrics.normals import MeanAngle
from sakedge.measuring.metrics.regions import RegionF
from sakedge.measuring.metrics.scalar import RelativeError, RootMeanSquare
from sakedge.measuring.metrics.table import agreement_for, metric_for

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
