"""Vivant: a photo and a few words go in at a chat, and the photo comes back moving."""

__version__ = "0.1.0"
