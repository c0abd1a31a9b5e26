"""The Numerai tournament from download to submission, with scores by era and splits that keep an embargo."""
