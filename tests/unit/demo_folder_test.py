"""Demo scenes as a data set: read back as `sakedge evaluate` does, never those trained on."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skimage")

from tools.demo_student import spec
from tools.demo_student.folder import write_scenes
from tools.demo_student.scenes import make_board_scene

from sakedge.assets import demo_student
from sakedge.format import StudentFile
from sakedge.measuring.data import open_dataset


def test_written_scenes_are_a_data_set_with_the_scenes_ground_truth(tmp_path: Path) -> None:
    write_scenes(tmp_path, 2, new=True)
    with StudentFile.open(demo_student()) as file:
        data = open_dataset(tmp_path, file.manifest)
    assert data.tasks == spec.TASK_NAMES
    first = spec.BOARD_HELD_OUT_SEEDS.start
    assert list(data.ids) == [str(first), str(first + 1)]
    scene, example = make_board_scene(first), data[0]
    assert np.array_equal(example.image.pixels, scene.image)
    for task in spec.TASK_NAMES:
        assert np.allclose(example.truth[task], getattr(scene, task), atol=1e-6), task


@pytest.mark.parametrize(("first", "new"), ((105_999, False), (199_999, True)))
def test_scenes_that_were_trained_on_are_refused(tmp_path: Path, first: int, new: bool) -> None:
    with pytest.raises(ValueError, match="training scenes"):
        write_scenes(tmp_path / "scenes", 2, first=first, new=new)
    assert not (tmp_path / "scenes").exists()


def test_boards_show_every_class_and_their_saliency_is_the_defects() -> None:
    scenes = [make_board_scene(seed) for seed in spec.BOARD_HELD_OUT_SEEDS[:10]]
    labels = np.stack([scene.semseg for scene in scenes])
    assert set(np.unique(labels)) == set(range(len(spec.CLASSES)))
    for scene in scenes:
        assert np.array_equal(scene.sal, scene.semseg >= spec.FIRST_DEFECT)
        assert np.allclose(np.linalg.norm(scene.normals, axis=-1), 1, atol=1e-5)
