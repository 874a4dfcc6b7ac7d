"""Media in, measured and out again; nothing here knows a recipe or a model."""
