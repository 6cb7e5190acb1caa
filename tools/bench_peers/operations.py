"""The fewest multiplications that a student needs, by the algebra of docs/algebra.md.

Products only, each with its addition one multiply-accumulate (MAC). What is done value by value
(GELU, LayerNorm, the mixture, decoding) is not counted, though it takes time.
"""

from sakedge.format import Manifest

HEAD_STRIDE = 4
"""Pixels of the input per pixel of a head's map."""


def stem_macs(manifest: Manifest) -> int:
    """Of the ViT, for one image."""
    arch = manifest.architecture
    tokens = 1 + _patches(manifest)
    c = arch.width
    embedding = _patches(manifest) * 3 * arch.patch**2 * c
    matrices = tokens * (4 * c * c + 2 * c * arch.mlp)
    attention = 2 * tokens * tokens * c
    return embedding + arch.blocks * (matrices + attention)


def after_stem_macs(manifest: Manifest) -> dict[str, int]:
    """Of everything after the stem, for one image and all adapters and tasks, by part.

    adapters: down and up of each adapter, on patch tokens only: the class token's are not read.
    routers: the hidden layer; the gate comes after the mean over tokens and is negligible.
    linears: each level's C -> C/4.
    taps: the 3x3 convolution as nine matrices at low resolution (docs/algebra.md, section 1).
    expansion: their interpolation, first along y (3 taps, 2 neighbours), then along x likewise.
    last: the 1x1 convolution to the classes.
    """
    arch, patches = manifest.architecture, _patches(manifest)
    c, levels, tasks = arch.width, len(manifest.levels), len(manifest.tasks)
    rows, columns = manifest.grid
    factor = arch.patch // HEAD_STRIDE
    wide = patches * factor * factor
    joined = levels * (c // 4)
    hidden = sum(adapter.hidden for adapter in manifest.adapters)
    routed = levels * tasks if arch.router == "mor" else 0
    along_y = 3 * (rows * factor) * columns * c * 3 * 2
    along_x = wide * c * 3 * 2
    return {
        "adapters": (arch.blocks + 1) * patches * 2 * c * hidden,
        "routers": routed * patches * c * (c // 2),
        "linears": tasks * patches * c * joined,
        "taps": tasks * patches * 9 * joined * c,
        "expansion": tasks * (along_y + along_x),
        "last": wide * c * sum(task.classes for task in manifest.tasks),
    }


def stock_head_macs(manifest: Manifest) -> int:
    """Of the heads as they stand in the file, which is what a stock runtime computes."""
    c = manifest.architecture.width
    factor = manifest.architecture.patch // HEAD_STRIDE
    wide = _patches(manifest) * factor * factor
    joined = len(manifest.levels) * (c // 4)
    parts = after_stem_macs(manifest)
    return len(manifest.tasks) * wide * 9 * joined * c + parts["linears"] + parts["last"]


def exported_head_macs(manifest: Manifest) -> int:
    """Of the heads as `sakedge export` writes them: the algebra in operators of every runtime.

    Those have no sparse product, so the expansion is one with a dense matrix per axis (section 1 of
    docs/algebra.md), [f·n, 3·n], of which two entries in each row and tap are not zero.
    """
    c, (rows, columns) = manifest.architecture.width, manifest.grid
    factor = manifest.architecture.patch // HEAD_STRIDE
    along_y = (factor * rows) * (3 * rows) * columns * 3 * c
    along_x = (factor * rows) * (factor * columns) * (3 * columns) * c
    parts = after_stem_macs(manifest)
    cheap = parts["linears"] + parts["taps"] + parts["last"]
    return len(manifest.tasks) * (along_y + along_x) + cheap


def _patches(manifest: Manifest) -> int:
    rows, columns = manifest.grid
    return rows * columns
