/** The wire protocol, version 1: docs/protocol.md. */
import type { Scene, StreamWindow } from '@sonoriff/engine/protocol'

export type { Scene, StreamWindow, WeightedPrompt } from '@sonoriff/engine/protocol'

export const PROTOCOL_VERSION = 1

export interface Ready {
  type: 'ready'
  version: number
  session: string
  next_sample: number
  sample_rate: number
  channels: number
  hop_length: number
  n_mels: number
  f_min_hz: number
  f_max_hz: number
  db_min: number
  db_max: number
  model: string
  scene: Scene
  limits: { max_steps: number; max_prompt_chars: number; ahead_s: number; resume_s: number }
}

export interface Scheduled {
  type: 'scheduled'
  id?: number | string
  from_sample: number
  scene: Scene
}

export interface Status {
  type: 'status'
  state: 'ahead' | 'making' | 'behind'
  speed: number
  made_s: number
  queue: number
}

export interface ErrorMessage {
  type: 'error'
  code: string
  message: string
  id?: number | string
}

export interface End {
  type: 'end'
  reason: 'bye' | 'shutdown' | 'idle'
}

export type ServerMessage =
  Ready | StreamWindow | Scheduled | Status | ErrorMessage | End | { type: 'pong'; t: number }

export type ClientMessage =
  | {
      type: 'hello'
      version: number
      scene?: Partial<Scene>
      key?: string
      resume?: { session: string; next_sample: number }
    }
  | { type: 'scene'; id: number; scene: Partial<Scene>; at?: number }
  | { type: 'want'; until: number; heard?: number; underruns?: number }
  | { type: 'bye' }

const KNOWN = new Set(['ready', 'window', 'scheduled', 'status', 'error', 'end', 'pong'])

/** A message of the server; null where a newer server says something this page does not know. */
export function parseMessage(text: string): ServerMessage | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return null
  return KNOWN.has(String(value.type)) ? (value as ServerMessage) : null
}

export interface SoundFrame {
  kind: 'sound'
  channels: number
  count: number
  firstSample: number
  /** Interleaved, [-1, 1]. */
  frames: Float32Array
}

export interface ColumnsFrame {
  kind: 'columns'
  channels: number
  count: number
  firstSample: number
  /** count x channels x n_mels, low frequencies first. */
  levels: Uint8Array
}

const HEADER = 16

/** A binary frame; null if it is not one of this version. */
export function parseFrame(buffer: ArrayBuffer): SoundFrame | ColumnsFrame | null {
  if (buffer.byteLength < HEADER) return null
  const view = new DataView(buffer)
  const kind = view.getUint8(0)
  const channels = view.getUint8(2)
  const count = view.getUint32(4, true)
  const firstSample = Number(view.getBigUint64(8, true))
  if (view.getUint8(1) !== PROTOCOL_VERSION || channels === 0) return null
  if (kind === 2) {
    const levels = new Uint8Array(buffer, HEADER)
    const whole = levels.length > 0 && levels.length % (count * channels) === 0
    return whole ? { kind: 'columns', channels, count, firstSample, levels } : null
  }
  if (kind !== 1 || buffer.byteLength !== HEADER + 2 * count * channels) return null
  const frames = new Float32Array(count * channels)
  for (let i = 0; i < frames.length; i++) {
    frames[i] = view.getInt16(HEADER + 2 * i, true) / 32767
  }
  return { kind: 'sound', channels, count, firstSample, frames }
}
