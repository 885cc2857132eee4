"""Which request headers are a key, which are an access token, and which are neither."""

import base64

import pytest

from app.auth.credentials import Credentials, PresentedKey, PresentedToken, read_credentials

PAIR = {"x-app-id": "c", "x-app-token": "d"}
FORMS: dict[str, tuple[dict[str, str], Credentials | None]] = {
    "a bearer value without a colon": ({"authorization": "Bearer sluice_at_x"}, PresentedToken("sluice_at_x")),
    "in another case, with blanks": ({"authorization": " bEARER   sluice_at_x "}, PresentedToken("sluice_at_x")),
    "whatever it begins with": ({"authorization": "Bearer x"}, PresentedToken("x")),
    "a bearer value with a colon": ({"authorization": "Bearer a:b"}, PresentedKey("a", "b")),
    "a colon at the end": ({"authorization": "Bearer a:"}, None),
    "a colon at the beginning": ({"authorization": "Bearer :b"}, None),
    "Bearer alone": ({"authorization": "Bearer"}, None),
    "apiKey without a colon": ({"authorization": "apiKey sluice_at_x"}, None),
    "Basic without a colon": ({"authorization": f"Basic {base64.b64encode(b'sluice_at_x').decode()}"}, None),
    "the token alone": ({"authorization": "sluice_at_x"}, None),
    "a token before a pair": ({"authorization": "Bearer x", **PAIR}, PresentedToken("x")),
    "an unknown scheme before a pair": ({"authorization": "Digest x", **PAIR}, None),
    "a pair": (PAIR, PresentedKey("c", "d")),
    "a token as half of a pair": ({"x-app-token": "sluice_at_x"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("headers", "read"), FORMS.values(), ids=FORMS)
def test_credentials_are_read_from_headers(headers: dict[str, str], read: Credentials | None) -> None:
    assert read_credentials(headers) == read


def test_secrets_are_not_in_the_repr() -> None:
    assert "hush" not in repr(PresentedToken("hush"))
    assert "hush" not in repr(PresentedKey("id", "hush"))
