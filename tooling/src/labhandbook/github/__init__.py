"""What happens on GitHub: the release workflow, admitting a tag, announcing a version, and the doctor."""
