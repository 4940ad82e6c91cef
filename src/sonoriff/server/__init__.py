"""The HTTP and WebSocket server; docs/protocol.md specifies the protocol."""
