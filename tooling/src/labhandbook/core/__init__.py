"""What all rooms use, each once: running programs, reading foreign data, writing files."""
