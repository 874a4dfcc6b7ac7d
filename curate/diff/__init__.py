"""What differs between two finished sets."""
