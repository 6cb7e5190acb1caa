"""How far our logits may be from stock ONNX Runtime's, and why."""

from __future__ import annotations

TOLERANCES = {"fp32": 1e-4, "fp16": 5e-3, "bf16": 2e-2, "int8": 5e-2}
"""Largest error of a logit, relative to its task's range, by precision.

fp32 against fp32 differs by the order of sums alone. At fp16 and bf16 every operand of some hundred
layers is rounded, by up to 2^-11 and 2^-9 of itself, and the errors of one value add up like noise.

At int8 both sides read the same integers for an int8 student's weights. What differs is how inputs
of products are rounded. After the stem ours are, by up to 1/254 of a token's largest value, and
stock ONNX Runtime's are not. In the stem both are; but where two runtimes differ by a hair some
inputs are rounded the other way, which moves more of them in the next layer, until they differ by
as much as rounding does. So:

- Steps of s make errors of s / √12, root mean square. Of inputs whose largest value is c times
  their root mean square, s is c / 127 of that, and the product off by c / (127 √12) = c / 440 of
  its own.
- A block adds its errors beside what it adds to the tokens, so they do not grow with depth. In
  series there are about eight products: four of the stem's, two of the adapters', two of a head.
- With c = 8 logits are off by √8 · 8 / 440 = 5 % of their root mean square. The largest of a
  million errors is five times as large, and the range at least six times the root mean square: 4 %.

Without outliers c is 3 to 4, which makes 2 %. Measured with both of our backends: 0.7 % on an int8
student of random weights, 1.2 % on the demo student's. Of a student in floats the weights are
rounded too, with a c of 3 to 4: 1.3 % on the one of random weights.

These bounds only distinguish a wrong kernel from rounding: what a precision costs in quality takes
a metric on labelled images.
"""
