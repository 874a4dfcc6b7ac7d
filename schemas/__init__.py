"""One module, one name: `curate.schemas` (this folder is linked into the package)."""

if __name__ == "schemas":
    raise ImportError("import curate.schemas, not schemas")
