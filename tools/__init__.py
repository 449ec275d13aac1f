"""How good the tests are: coverage, fuzzing and mutants of the driver. Each has a target in the Makefile."""
