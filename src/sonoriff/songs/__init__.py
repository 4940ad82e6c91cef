"""Songs: pieces of minutes with a form, made from a small file and edited section by section."""
