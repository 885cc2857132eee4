"""No code reaches a page as it is: each has a sentence, in the words of people who click and do not call."""

import re

import pytest

from app.dashboard.sentences import (
    headline_of_group,
    remedy_of_failure,
    remedy_of_problem,
    remedy_of_refusal,
    remedy_of_warning,
)
from app.dashboard.words import title_of_failure
from app.errors import FAILURES, REFUSALS
from app.problems import PROBLEMS, WARNINGS
from app.web.failures import INTERNAL_ERROR

# Words for people who write clients.
OF_CLIENTS = re.compile(r"`(POST|PUT|GET|DELETE) |`errors`|`Retry-After`|`Allow`|`status`|scope |`unknownColumns`")


@pytest.mark.parametrize(
    ("codes", "say"),
    [
        (PROBLEMS, headline_of_group),
        (PROBLEMS, remedy_of_problem),
        (WARNINGS, remedy_of_warning),
        (FAILURES, remedy_of_failure),
        ([*REFUSALS, INTERNAL_ERROR], remedy_of_refusal),
        ([*REFUSALS, INTERNAL_ERROR], title_of_failure),
    ],
)
def test_every_code_has_a_sentence_for_people(codes, say) -> None:  # type: ignore[no-untyped-def]
    for code in codes:
        sentence = say(code)
        assert sentence[0].isupper(), code
        assert "!" not in sentence, code
        if say in (remedy_of_failure, remedy_of_refusal):
            assert not OF_CLIENTS.search(sentence), (code, sentence)
