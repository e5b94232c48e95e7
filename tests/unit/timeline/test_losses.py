"""Who said last what is gone."""

from itertools import pairwise

import pytest

from uproar.timeline import losses as module
from uproar.timeline.losses import LOSS_S, Losses

LOSS_MS = round(LOSS_S * 1000)


def down(*ids, **users):
    return lambda losses: losses.take_down(ids, users, 0)


def back(comment_id):
    return lambda losses: losses.put_back(comment_id, 0)


def removed(*ids, **users):
    return lambda losses: losses.repeat(ids, users, (), 0)


def restored(*ids):
    return lambda losses: losses.repeat((), {}, ids, 0)


def after(*steps):
    losses = Losses()
    for step in steps:
        step(losses)
    return losses


@pytest.mark.parametrize(
    ("steps", "gone"),
    [
        ([], False),
        ([down(1)], True),
        ([removed(1)], True),
        ([down(1), back(1)], False),
        ([removed(1), restored(1)], False),
        ([restored(1), removed(1)], True),
        # what a frame tells was answered before, in this order: the last answer stands
        ([down(1), removed(1), back(1), restored(1)], False),
        ([down(1), back(1), removed(1)], False),
        ([down(1), back(1), removed(1), restored(1)], False),
        ([down(1), back(1), down(1), removed(1), restored(1)], True),
        ([down(1), back(1), down(1), removed(1), restored(1), removed(1)], True),
        # users
        ([down(ann=1)], True),
        ([down(ann=0)], False),
        ([down(ann=5), down(ann=0)], True),
        ([removed(ann=1)], True),
        ([down(ann=1), back(1)], False),
        ([down(ann=1), back(1), removed(ann=1)], False),
        ([down(ann=1), back(1), removed(ann=1), restored(1)], False),
        ([down(ann=1), back(1), down(ann=2)], True),
        ([down(ann=1), down(bob=9), back(1), down(ann=9)], False),
        ([down(ann=1), back(1), down(1)], True),
        # the answer failed after it was logged: the frames say it all
        ([back(1), removed(ann=1), restored(1)], False),
        ([removed(ann=1), restored(1)], False),
        ([removed(ann=1), restored(1), removed(ann=2)], True),
    ],
)
def test_the_last_word_on_anns_comment_1(steps, gone):
    assert after(*steps).gone.covers(1, "ann") is gone


def test_another_users_loss_takes_nothing():
    assert not after(down(bob=9)).gone.covers(1, "ann")


def test_the_version_grows_with_every_change_and_is_0_only_while_nothing_is_gone():
    losses = Losses()
    versions = [losses.gone.version]
    for step in (down(1), down(ann=3), back(1), removed(2)):
        step(losses)
        versions.append(losses.gone.version)
    assert versions[0] == 0
    assert all(before < later for before, later in pairwise(versions))
    assert after(down(1), back(1)).gone.version == 0


def test_what_is_gone_is_the_same_object_until_it_changes():
    losses = after(down(1))
    assert losses.gone is losses.gone


def test_losses_are_forgotten_when_nothing_can_hold_the_text_any_more():
    losses = Losses()
    losses.take_down([1], {"ann": 1}, 0)
    losses.take_down([2], {}, 1)
    losses.forget(LOSS_MS)
    assert losses.gone.covers(1, "bob")
    losses.forget(LOSS_MS + 1)
    assert not losses.gone.covers(1, "ann")
    assert losses.gone.covers(2, "bob")


def test_a_loss_told_again_lives_from_then_on():
    losses = Losses()
    losses.take_down([1, 2], {}, 0)
    losses.repeat([1], {}, (), 5)
    losses.forget(LOSS_MS + 5)
    assert losses.gone.ids == {1}


def test_of_too_many_losses_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "LOSSES", 2)
    losses = after(down(1), down(2), down(3, ann=1, bob=1, cat=1))
    losses.forget(0)
    assert losses.gone.ids == {2, 3}
    assert losses.gone.users.keys() == {"bob", "cat"}
