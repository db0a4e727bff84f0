"""A new signing key is known to whoever verifies tokens before the first token bears it (AUTH-10)."""

from datetime import timedelta

from auth.domain.session import ACCESS_TOKEN_LIFETIME
from auth.domain.signing_key import KEPT_AFTER, LEAD
from chassis.tokens import keys
from gateway.envoy.filters import JWKS_CACHE_S

COPY_EVERY = timedelta(seconds=10)  # auth's own processes take the table's keys over this often


def test_every_copy_of_the_key_set_is_renewed_before_a_new_key_signs():
    slowest = max(timedelta(seconds=JWKS_CACHE_S), timedelta(seconds=keys.REFRESH_S))
    assert 2 * (slowest + COPY_EVERY) <= LEAD, "one failed renewal must not lock anybody out"


def test_an_old_key_stays_until_its_last_token_has_expired():
    assert ACCESS_TOKEN_LIFETIME + timedelta(seconds=JWKS_CACHE_S) < KEPT_AFTER
