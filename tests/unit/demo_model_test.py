"""The demo student's network: the commuted head, the official names, the masked router."""

import pytest

torch = pytest.importorskip("torch")

from tools.demo_student import spec  # noqa: E402
from tools.demo_student.model import Backbone, Head, Student, rows_of  # noqa: E402
from tools.demo_student.taps import interpolation_matrix, tap_matrix  # noqa: E402

WIDTHS = dict.fromkeys(spec.TEACHERS, 8)


def test_interpolation_matrix_is_torchs_bilinear_upsampling() -> None:
    x = torch.randn(1, 1, 7, dtype=torch.float64)
    expected = torch.nn.functional.interpolate(x, scale_factor=4, mode="linear")
    assert torch.allclose(x @ interpolation_matrix(7, 4).t(), expected, atol=1e-14)


def test_commuted_head_equals_convolution_after_upsampling_borders_included() -> None:
    torch.manual_seed(0)
    head = Head(16, 3).double().eval()
    # The buffer is float32; the taps' shares (eighths) are exact in it.
    assert torch.equal(head.taps, tap_matrix(spec.GRID, 4).double())
    maps = [torch.randn(2, spec.GRID**2, 16, dtype=torch.float64) for _ in spec.LEVELS]
    with torch.no_grad():
        # The head adds its last bias in float32, hence the bound.
        assert torch.allclose(head(maps).double(), head.plain(maps), atol=1e-6)
        z = head.project(maps)
        up = torch.nn.functional.interpolate(
            z.transpose(1, 2).unflatten(-1, (spec.GRID, spec.GRID)),
            scale_factor=4,
            mode="bilinear",
        )
        assert torch.allclose(head.expand(z), head.linear_fuse[0](up), atol=1e-12)


@pytest.mark.parametrize("first", (0, 4, 10))
def test_a_band_of_the_grid_gives_those_rows_of_the_whole_map(first: int) -> None:
    torch.manual_seed(0)
    head = Head(16, 3).eval()
    maps = [torch.randn(2, spec.GRID**2, 16) for _ in spec.LEVELS]
    band = [m.unflatten(1, (spec.GRID, -1))[:, first : first + 6].flatten(1, 2) for m in maps]
    with torch.no_grad():
        whole, part = head(maps), head(band, first)
    assert part.shape[2] >= 16
    assert torch.allclose(part, whole[:, :, rows_of(first, 6)], atol=1e-6)


def test_state_dict_has_the_official_names_and_nothing_else() -> None:
    names = set(Student(WIDTHS).state_dict())
    depth, levels, teachers = spec.DEPTH, len(spec.LEVELS), len(spec.TEACHERS)
    tasks = len(spec.TASKS)
    assert "backbone.vit.blocks.0.attn.qkv.weight" in names
    assert "backbone.tsap.texture.12.scale" in names
    assert "backbone.out_norms.11_geometry.bias" in names
    assert "backbone.mor.2_semseg.router.module.3.weight" in names
    assert "heads.depth.linear_fuse.1.running_var" in names
    stem = 4 + 12 * depth
    paths = teachers * ((depth + 1) * 5 + levels * 2)
    aligners = teachers * levels * 2
    routers = levels * tasks * 6
    heads = tasks * (levels * 2 + 2 + 5 + 2)
    assert len(names) == stem + paths + aligners + routers + heads


def test_stage_one_has_neither_routers_nor_heads() -> None:
    names = Backbone(WIDTHS).state_dict()
    assert not [name for name in names if name.startswith(("mor.", "heads."))]


def test_absent_adapters_have_no_weight_and_no_influence() -> None:
    torch.manual_seed(0)
    student = Student(WIDTHS).eval()
    image = torch.randn(1, 3, spec.SIZE, spec.SIZE)
    present = torch.tensor([[True, False, True, False]])
    with torch.no_grad():
        logits, routing = student(image, present)
        for parameter in student.backbone.tsap["texture"].parameters():
            parameter.add_(0.01)
        again, _ = student(image, present)
    for task in spec.TASK_NAMES:
        assert routing[task][..., [1, 3]].abs().max() == 0
        assert torch.allclose(routing[task].sum(-1), torch.ones(()))
        assert torch.equal(logits[task], again[task])
