#pragma once

#include "decoder/decoder.h"

namespace sakedge {

// Multiplications that an image takes, at most, for `check_work`. Its snapshot fits the geometry.
double work_of(const ImageRequest& image, const Geometry& geometry);

}  // namespace sakedge
