"""The GPU engine: image-to-video pipelines of diffusers, one worker process for each card.

Importing this package never imports torch: only `pipeline`, `weights` and `parts` do, and they
run in the worker process, which is `child`.
"""
