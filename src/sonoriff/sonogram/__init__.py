"""Pictures of sound: formats, transforms, phase, and files."""

from sonoriff.sonogram.params import HIFI, PRESETS, RIFFUSION_V1, SonogramParams, params_by_name
from sonoriff.sonogram.sonogram import Sonogram

__all__ = ["HIFI", "PRESETS", "RIFFUSION_V1", "Sonogram", "SonogramParams", "params_by_name"]
