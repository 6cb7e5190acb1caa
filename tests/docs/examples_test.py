"""Every example of the pages is run, or says why it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.blocks import CODE, PAGES, Block, blocks
from tests.docs.world import MakeWorld


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_one_after_the_other(
    page: Path, world: MakeWorld, request: pytest.FixtureRequest
) -> None:
    also_long = request.config.getoption("--long-examples")
    wanted = [each for each in blocks(page) if each.language in CODE and each.mark != "not run"]
    wanted = [each for each in wanted if also_long or each.mark != "long"]
    if not wanted:
        pytest.skip("no examples that run")
    here = world(page.name)
    for block in wanted:
        here.run(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_reader_would_type_is_in_a_block_that_is_run(page: Path) -> None:
    found = blocks(page)
    assert [each.place for each in found if not each.language and each.looks_like_shell] == []
    assert [each.place for each in found if each.mark and not each.reason] == []
    assert [each.place for each in found if each.mark and each.language not in CODE] == []


def test_a_block_that_does_not_work_is_found(world: MakeWorld, tmp_path: Path) -> None:
    here = world()
    for language, text in (
        ("sh", "sakedge inspect absent.onnx"),
        ("sh", "shutdown now"),
        ("console", "$ sakedge --version\nsakedge 99"),
    ):
        with pytest.raises(AssertionError):
            here.run(Block(PAGES[0], 1, language, text, "", ""))
    with pytest.raises(ZeroDivisionError):
        here.run(Block(PAGES[0], 1, "python", "1 / 0", "", ""))


def test_commands_go_on_and_have_comments_and_output() -> None:
    text = "$ a b \\\n    c   # why\nsaid\n$ d\n"
    block = Block(PAGES[0], 1, "console", text, "", "")
    assert [*block.commands()] == [("a b c   # why", ["said"]), ("d", [])]
