"""Jobs on the clusters: what a script asks for, whether it may, what it costs and how well it was used."""
