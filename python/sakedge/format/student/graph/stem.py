"""The Teacher-Agnostic Stem: image to x0 … xD (docs/model.md, section 2.1)."""

from __future__ import annotations

from sakedge.format.layout import STEM_EPS
from sakedge.format.onnx.builder import GraphBuilder
from sakedge.format.student.parts import Architecture


def add_stem(graph: GraphBuilder, arch: Architecture, image: str = "image") -> None:
    """Adds the stem; its outputs are the values `x0` … `xD`, [B, 1 + L, C].

    Args:
        graph: Where it goes.
        arch: Sizes of the network.
        image: The normalised images, float32 [B, 3, H, W].
    """
    _add_embedding(graph, arch, image)
    for i in range(arch.blocks):
        _add_block(graph, arch, i)


def _add_embedding(graph: GraphBuilder, arch: Architecture, image: str) -> None:
    kernel = [graph.weight(f"stem.patch_embed.{part}") for part in ("weight", "bias")]
    edge = [arch.patch, arch.patch]
    patches = graph.add("Conv", [image, *kernel], "stem.patches", kernel_shape=edge, strides=edge)
    flat = graph.add(
        "Reshape", [patches, graph.constant("const.flatten", [0, 0, -1])], "stem.patches.flat"
    )
    tokens = graph.add("Transpose", [flat], "stem.patches.tokens", perm=[0, 2, 1])

    # The batch is symbolic, so the class token is expanded to whatever it is.
    batch = graph.add("Shape", [image], "stem.batch", start=0, end=1)
    rest = graph.constant("const.cls_shape", [1, arch.width])
    shape = graph.add("Concat", [batch, rest], "stem.cls_shape", axis=0)
    cls = graph.add("Expand", [graph.weight("stem.cls_token"), shape], "stem.cls")
    both = graph.add("Concat", [cls, tokens], "stem.tokens", axis=1)
    graph.add("Add", [both, graph.weight("stem.pos_embed")], "x0")


def _add_block(graph: GraphBuilder, arch: Architecture, i: int) -> None:
    """One pre-norm block: x + attention(norm1(x)), then x + mlp(norm2(x))."""
    name, x = f"stem.blocks.{i}", f"x{i}"
    normed = graph.layer_norm(x, f"{name}.norm1", f"{name}.norm1", STEM_EPS)
    qkv = graph.linear(normed, f"{name}.attn.qkv", f"{name}.attn.qkv")
    parts = graph.split(qkv, [f"{name}.attn.{part}" for part in ("q", "k", "v")], arch.width)
    mixed = graph.attention(parts, f"{name}.attn.mixed", arch.heads, arch.width)
    attended = graph.linear(mixed, f"{name}.attn.proj", f"{name}.attn.proj")
    x = graph.add("Add", [x, attended], f"{name}.attended")

    normed = graph.layer_norm(x, f"{name}.norm2", f"{name}.norm2", STEM_EPS)
    hidden = graph.linear(normed, f"{name}.mlp.fc1", f"{name}.mlp.fc1")
    hidden = graph.gelu(hidden, f"{name}.mlp.gelu")
    out = graph.linear(hidden, f"{name}.mlp.fc2", f"{name}.mlp.fc2")
    graph.add("Add", [x, out], f"x{i + 1}")
