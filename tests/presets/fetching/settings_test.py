import time

import pytest

from keras_vae.presets.fetching.settings import Patience
from keras_vae.presets.fetching.settings import Settings

pytestmark = pytest.mark.one_backend


def test_the_quota_by_hand():
    assert Settings(rate_window=20.0, min_rate=1024.0).quota == 20_480


def test_silent_mirrors_leave_time_for_every_other_one():
    settings = Settings(patience=50.0, stall_timeout=15.0, rate_window=20.0, connect_timeout=10.0)
    assert settings.shared_by(1) == Settings(
        patience=50.0, stall_timeout=15.0, rate_window=20.0, connect_timeout=10.0
    )
    for num_mirrors in range(1, 20):
        shared = settings.shared_by(num_mirrors)
        slowest = max(shared.stall_timeout, shared.rate_window, shared.connect_timeout)
        assert num_mirrors * slowest < settings.patience


def test_patience_ends_and_is_renewed():
    patience = Patience(Settings(patience=0.05))
    assert 0 < patience.left() <= 0.05
    time.sleep(0.06)
    assert patience.left() < 0
    patience.renew()
    assert patience.left() > 0
