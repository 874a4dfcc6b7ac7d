"""The three errors of the project.

CurateError          the user can act on it: the command line prints it as one line, without a traceback
├── Rejected         one candidate does not make it into the set; it goes to the ledger with this reason
└── AuditError       the set as a whole does not hold what its recipe promises
"""


class CurateError(Exception):
    """Bad input or a bad environment. The message names what was found and what was wanted."""


class Rejected(CurateError):
    """One candidate is dropped.

    `reason` is a short snake_case word, the key under which the ledger counts it;
    `detail` is the sentence with the numbers.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    @property
    def is_transient(self) -> bool:
        """It may be gone at the next try (a drive that dropped out), so nothing may remember it."""
        return self.reason == "unreadable"

    def __reduce__(self) -> tuple[type["Rejected"], tuple[str, str]]:
        return Rejected, (
            self.reason,
            self.detail,
        )  # two arguments survive the way back from a worker process


class AuditError(CurateError):
    """The findings of a set are not the ones its recipe declares."""
