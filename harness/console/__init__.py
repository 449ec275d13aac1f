"""What a guest prints: following its console, recognising a crash in it, naming the source lines."""
