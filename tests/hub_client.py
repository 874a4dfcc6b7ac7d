"""The real clients of the Hub, in a process of their own that lists sources."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[1]

# One answer a line to each question a line: importing the clients takes longer than most of what is asked.
LISTER = """
import json, sys, time
from pathlib import Path
from curate.errors import CurateError
from curate.records import Wanted
from curate.sources import hub, hub_http

defaults = hub_http.TIMEOUT_S, hub_http.WAITS_S
for line in sys.stdin:
    asked = json.loads(line)
    hub_http.TIMEOUT_S, hub_http.WAITS_S = asked.get("timeout_s", defaults[0]), asked.get("waits_s", defaults[1])
    wanted = Wanted.model_validate(asked["wanted"]) if "wanted" in asked else None
    answers = []
    for source in asked["sources"]:
        started = time.monotonic()
        try:
            clips, drops, commit = hub.list_hub(*hub.parse_source(source), wanted, Path(asked["cache"]))
            told = {"clips": [c.model_dump(mode="json") for c in clips], "drops": [d.model_dump() for d in drops]}
            told |= {"commit": commit, "paths": [clip.path for clip in clips]}
        except CurateError as error:
            told = {"error": str(error)}
        answers.append(told | {"seconds": time.monotonic() - started})
    print(json.dumps(answers), flush=True)
"""


class HubClient:
    """A process in which the real clients of the Hub list sources; they read their endpoint when they are imported."""

    def __init__(self, url: str, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        own = {"HF_ENDPOINT": url, "HF_HOME": str(home), "PYTHONPATH": str(ROOT)}
        off = dict.fromkeys(("XET", "IMPLICIT_TOKEN", "TELEMETRY"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-c", LISTER],
            env=kept | own | {f"HF_HUB_DISABLE_{name}": value for name, value in off.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, cache: Path, *sources: str, **settings: Any) -> None:
        """Begin to list sources into `cache`."""
        print(
            json.dumps({"cache": str(cache), "sources": sources, **settings}),
            file=self.process.stdin,
            flush=True,
        )

    def list(self, cache: Path, *sources: str, **settings: Any) -> list[dict[str, Any]]:
        """What each source gave, or the error that it was."""
        self.ask(cache, *sources, **settings)
        out = self.process.stdout
        if out is None or not select.select([out], [], [], 100)[0]:
            raise TimeoutError(f"no answer about {sources}")
        answers: list[dict[str, Any]] = json.loads(out.readline() or "[]")
        return answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process at once, as nothing can prevent."""
        self.process.kill()
        self.process.communicate()
