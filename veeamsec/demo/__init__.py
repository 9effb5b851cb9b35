"""The main job as a worked example: the same services, web process and workers as in production."""
