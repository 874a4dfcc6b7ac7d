"""One module, one name: `curate.recipes` (this folder is linked into the package)."""

if __name__ == "recipes":
    raise ImportError("import curate.recipes, not recipes")
