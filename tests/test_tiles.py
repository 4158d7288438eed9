"""Tiles in one word: the same from a job file, a command and Python."""

import pytest

from qiskit_hqnn._tiles import TilesWord, read_tiles
from qiskit_hqnn.cli.options import tiles_of_option
from qiskit_hqnn.errors import HQNNError, JobFileError
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.training import find_job, read_job
from qiskit_hqnn.training.metrics import Plain, Result

WORD = "20,floor=0.9,spacing=1"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (20, TilesWord(20)),
        ("auto", TilesWord("auto")),
        ("auto, spacing=2", TilesWord("auto", 0.8, 2)),
        (WORD, TilesWord(20, 0.9, 1)),
        ({"count": 20, "floor": 0.9, "spacing": 1}, TilesWord(20, 0.9, 1)),
        ({"count": "auto", "floor": 1}, TilesWord("auto", 1.0)),
    ],
)
def test_a_word_and_a_table_say_the_same(given, wanted):
    read = read_tiles(given)
    assert read == wanted
    assert read_tiles(read.word) == wanted


@pytest.mark.parametrize(
    "given",
    [
        0, True, 2.5, None, [], "many", "20", "-1,floor=0.9", "20,floor", "20,floor=0", "20,floor=nan", "20,floor=1.1",
        "20,floor=x", "20,spacing=1.5", "20,spacing=-1", "20,spacing=101", "20,floors=0.9", "20,floor=0.9,floor=0.8",
        "20,count=3", "20,", {"floor": 0.9}, {"count": 20, "floor": True}, {"count": 20, "more": 1},
    ],
)  # fmt: skip
def test_what_is_no_number_of_regions_is_nothing(given):
    assert read_tiles(given) is None


def job_of(*more):
    return read_job(find_job("quickstart"), ["where='fake_fez'", "test=['exact']", *more])


def test_a_job_file_takes_floor_and_spacing_either_way():
    assert job_of(f"tiles='{WORD}'").tiles == WORD
    assert job_of("tiles={count=20, floor=0.9, spacing=1}").tiles == WORD
    assert job_of("tiles={count=20}").tiles == 20
    with pytest.raises(
        JobFileError, match="tiles is '20,floor=2': must be 'auto' or a whole number .* such as"
    ):
        job_of("tiles='20,floor=2'")


def test_a_command_and_a_manager_take_the_word():
    assert tiles_of_option(WORD) == WORD
    assert (tiles_of_option("20"), tiles_of_option("auto"), tiles_of_option("none")) == (20, "auto", None)
    with pytest.raises(HQNNError, match="Option --tiles must be .*20,floor=0.9,spacing=1, but is '20,floor'"):
        tiles_of_option("20,floor")
    manager = JobManager("fake_manila", tiles="2,floor=0.5")
    assert (manager.tiles.count, manager.tiles.floor, manager.tiles.word) == (2, 0.5, "2,floor=0.5")
    with pytest.raises(HQNNError, match="Argument `tiles` must be .*, but is '2,floor=0'"):
        JobManager("fake_manila", tiles="2,floor=0")


def test_results_of_other_regions_have_names_of_their_own():
    plain = Plain(100, {}, 10, tiles=20)
    common = {
        "accuracy": 1,
        "loss": 0,
        "macro_f1": 1,
        "images": 10,
        "where": "fake_fez",
        "shots": 100,
        "seconds": 1,
    }
    results = [Result.model_validate(common | {"tiles": tiles}) for tiles in (20, WORD, None)]
    names = [plain.name(result) for result in results]
    assert names == ["fake_fez", "fake_fez-20-tiles-floor-0.9-spacing-1", "fake_fez-untiled"]
    assert results[1].conditions == "100 shots, 20 tiles floor 0.9 spacing 1"
