"""Kills while a real model writes, and a comparison with what it writes uninterrupted."""
