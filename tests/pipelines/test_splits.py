"""The three splits, and what else they are called."""

import pytest

from pipelines.errors import DataError
from pipelines.splits import in_order, split_called, split_named


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Val"])
def test_a_split_has_other_names(name):
    assert split_called(name) == split_named(name) == "validation"


def test_splits_are_put_in_order_each_once():
    assert in_order(["test", "val", "valid", "train"]) == ("train", "validation", "test")
    assert in_order("val") == ("validation",)


def test_what_is_no_split_is_refused_with_the_nearest():
    assert split_named("trainval") is None
    with pytest.raises(DataError, match="Unknown split 'tran'. Did you mean 'train'"):
        in_order(["tran"])
    with pytest.raises(KeyError):
        split_called("tran", KeyError)
    with pytest.raises(DataError, match="splits is empty"):
        in_order([])
