"""Captioned audio: a user's folder imported, music rendered, free recordings collected.

The calls are in the modules: `importer.import_folder`, `render.render`, `recordings.collect`,
`manifest.Corpus` for reading, `report.report_of`, `exchange.merge` and `exchange.export`.
"""
