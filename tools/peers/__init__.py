"""The same tests through other ways to run them in a guest, side by side with this harness."""
