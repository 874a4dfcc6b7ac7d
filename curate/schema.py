"""The published JSON Schemas: exported from the record types, shipped with every build, enforced by `curate check`."""

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import Field

from curate.files import write_atomic
from curate.proof.finding import Finding
from curate.records import Build, LedgerRow, Record, Sample, ShardRecord
from curate.shard import ShardCard


class Audit(Record):
    """`audit.json`."""

    findings: list[Finding]
    latents: list[Finding] = Field(
        default_factory=list, description="The round trip; empty when not encoded."
    )


class ShardIndex(Record):
    """`shards/index.json`."""

    shards: list[ShardCard]


PUBLISHED: dict[str, type[Record]] = {
    "audit": Audit,
    "build": Build,
    "index": ShardIndex,
    "ledger": LedgerRow,
    "plan": Sample,
    "sample": ShardRecord,
}


def exported(name: str) -> bytes:
    """One schema from its record type. Serialisation mode: what the files hold."""
    schema = PUBLISHED[name].model_json_schema(mode="serialization")
    return (json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def schema_bytes(name: str) -> bytes:
    """One schema as it is published: the committed file, as another pydantic may export other bytes."""
    return (files("curate.schemas") / f"{name}.schema.json").read_bytes()


def write_schemas(folder: Path) -> None:
    """All published schemas as NAME.schema.json."""
    for name in PUBLISHED:
        write_atomic(folder / f"{name}.schema.json", schema_bytes(name))


@lru_cache
def _validator(name: str) -> Any:
    return Draft202012Validator(json.loads(schema_bytes(name)))


def faults(name: str, value: Any) -> Iterator[str]:
    """How a JSON value breaks a schema, a line each."""
    for error in _validator(name).iter_errors(value):
        yield f"{error.json_path}: {error.message[:200]}"


if __name__ == "__main__":
    for schema_name in PUBLISHED:
        write_atomic(Path("schemas") / f"{schema_name}.schema.json", exported(schema_name))
