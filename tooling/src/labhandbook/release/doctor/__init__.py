"""`handbook release doctor`: why publishing from GitHub Actions would fail, told before a tag is pushed."""
