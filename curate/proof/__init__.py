"""What a set can prove: the sketch of its claims, the lot, and the audit that is derived from both."""
