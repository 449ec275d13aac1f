"""What installs a Windows of the user's own: its medium looked into, the answers to its questions, the seed disc."""
