"""labhandbook: the commands behind the chapters of the lab handbook."""
