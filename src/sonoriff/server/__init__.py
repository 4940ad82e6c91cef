"""The HTTP and WebSocket server; docs/protocol.md says what it speaks."""
