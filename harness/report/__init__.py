"""Results for people and for programs: a table, a JSON file."""
