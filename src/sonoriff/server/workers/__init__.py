"""Worker processes that hold a model, and their task queue."""
