"""The endless riff: a schedule of scenes to one continuous sound."""
