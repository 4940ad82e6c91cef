"""The endless riff over a WebSocket: sessions, messages, frames."""
