"""The small model's networks on onnxruntime, which needs no training framework."""
