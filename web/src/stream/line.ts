/** The line of a stream: messages there, messages and frames back. */
import type { FromStream, ToStream } from '@sonoriff/engine/messages'
import type { ClientMessage } from './protocol'

export interface Line {
  send(message: ClientMessage): void
  close(): void
}

export interface LineEvents {
  opened(): void
  received(data: string | ArrayBuffer): void
  closed(code: number): void
}

/** Opens a line. */
export type Dial = (events: LineEvents) => Line

/** To a server. */
export const socketLine =
  (url: string): Dial =>
  (events) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => events.opened()
    socket.onmessage = ({ data }) => events.received(data as string | ArrayBuffer)
    socket.onclose = ({ code }) => events.closed(code)
    return {
      send: (message) =>
        socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message)),
      close: () => socket.close(1000),
    }
  }

/** To the engine, by a port over which several lines go. */
export function portLines(port: MessagePort): Dial {
  const lines = new Map<number, LineEvents>()
  let ids = 0
  const say = (message: ToStream) => port.postMessage(message)
  port.onmessage = ({ data }: MessageEvent<FromStream>) => {
    const events = lines.get(data.id)
    if (data.type === 'opened') events?.opened()
    else if (data.type === 'message') events?.received(data.data)
    else {
      lines.delete(data.id)
      events?.closed(data.code)
    }
  }
  return (events) => {
    const id = ++ids
    lines.set(id, events)
    say({ id, type: 'open' })
    return {
      send: (message) => say({ id, type: 'message', message }),
      close() {
        lines.delete(id)
        say({ id, type: 'close' })
      },
    }
  }
}
