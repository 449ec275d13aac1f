"""What is to be said of a canary, and whether it was. Pure."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from harness.errors import HarnessError, Kind

REQUEST = "TEST_FAULT ("
"""How the request begins that a verdict must name."""


class Plain(enum.Enum):
    """What is said of a test that costs no guest."""

    WRONG_ANSWER = "wrong answer"
    PASSED = "passed"


Said = Kind | Plain


@dataclass(frozen=True, slots=True)
class Expectation:
    """`said` of the canary's test, in a message that has the pattern `title` in it; the verdict's request begins with
    `request`. It is said `late` if only a search finds it when tests are over. `why` tells why nothing can be said,
    where that is expected."""

    said: Said
    title: str = ""
    request: str = REQUEST
    why: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was said: `right_test` and `right_request` tell whether the ones that failed are blamed."""

    said: str
    title: str
    right_test: bool
    right_request: bool


def sight(error: Exception | None, *, test: str, request: str) -> Sighting:
    """What `error` says of `test`, which ended with it; `request` is how the request begins that is to blame."""
    if error is None:
        return Sighting(Plain.PASSED.value, "", right_test=True, right_request=True)
    verdict = error.verdict if isinstance(error, HarnessError) else None
    title = error.message if isinstance(error, HarnessError) else str(error)
    if verdict is not None:
        return Sighting(
            verdict.kind.value,
            title,
            right_test=verdict.test == test,
            right_request=verdict.request.startswith(request),
        )
    said = Plain.WRONG_ANSWER.value if isinstance(error, AssertionError) else type(error).__name__
    return Sighting(said, title, right_test=True, right_request=True)


def complaints(sighting: Sighting, expected: Expectation) -> list[str]:
    """What is not as expected, a text for each; none if the harness judged rightly."""
    found = []
    if sighting.said != expected.said.value:
        found.append(f"{sighting.said!r} was said, not {expected.said.value!r}")
    if re.search(expected.title, sighting.title) is None:
        found.append(f"{expected.title!r} is not in the message {sighting.title!r}")
    if not sighting.right_test:
        found.append("another test is blamed")
    if not sighting.right_request:
        found.append("another request is blamed")
    return found
