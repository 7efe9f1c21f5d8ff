"""Tokens: good for an account, a region and twelve hours, and not to be made up."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.local_aws.images.tokens import LIFE_S, Tokens

ACCOUNT, REGION = "111122223333", "us-east-1"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_token_ends_after_twelve_hours() -> None:
    now = 1_000.0
    tokens = Tokens(lambda: now)
    token = tokens.issue(ACCOUNT, REGION)
    header = f"Basic {token.encoded}"
    assert tokens.account_of(header, REGION) == ACCOUNT
    assert tokens.account_of(header, "eu-west-1") is None
    assert Tokens(lambda: now).account_of(header, REGION) is None
    now += LIFE_S
    assert tokens.account_of(header, REGION) is None


NO_TOKENS = ["", "Basic", "Basic %%", "Bearer x", basic("AWS"), basic("AWS:a.b"), basic("x:a.b")]


@pytest.mark.parametrize("header", NO_TOKENS)
def test_what_is_no_token_is_nobodys(header: str) -> None:
    assert Tokens().account_of(header, REGION) is None


@given(password=st.text(max_size=200))
def test_no_password_can_be_made_up(password: str) -> None:
    assert Tokens().account_of(basic(f"AWS:{password}"), REGION) is None
