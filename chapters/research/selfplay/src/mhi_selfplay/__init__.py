"""AlphaZero for small games behind one interface, with search, self-play, arena, and a resume that loses nothing."""
