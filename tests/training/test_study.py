"""What a study says of its runs."""

import pytest

from qiskit_hqnn.training.study import learned


def result(*confusion):
    images = sum(map(sum, confusion))
    right = sum(row[label] for label, row in enumerate(confusion))
    return {"accuracy": right / images, "confusion": [list(row) for row in confusion], "images": images}


@pytest.mark.parametrize("share", [50, 90, 95, 99])
def test_learning_is_told_from_naming_the_largest_class_whatever_its_share(share):
    large, small = 100 * share, 100 * (100 - share)
    assert not learned(result((large, 0), (small, 0)))
    assert not learned(result((0, large), (0, small)))
    assert not learned(result((large // 2, large // 2), (small // 2, small // 2)))
    assert learned(result((large, 0), (0, small)))
    assert learned(result((large - large // 20, large // 20), (small // 5, small - small // 5)))


def test_of_classes_of_one_size_accuracy_decides():
    def ten(right):
        return result(
            *([right if row == column else (90 - right) // 9 for column in range(10)] for row in range(10))
        )

    assert not learned(ten(9))  # 10 %
    assert learned(ten(27))  # 30 %
    assert learned(result((7, 3), (4, 6)))
    assert not learned(result((6, 4), (5, 5)))


def test_a_class_without_test_images_does_not_count():
    assert learned(result((8, 0, 2), (0, 0, 0), (1, 0, 9)))
    assert not learned(result((10, 0, 0), (0, 0, 0), (10, 0, 0)))
