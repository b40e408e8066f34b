"""The CPU engine: the photo's own people act, by layers and warps, in seconds and without a GPU."""
