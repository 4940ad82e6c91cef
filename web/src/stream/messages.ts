/** What main thread and stream worker say to each other. */

import type { Connection } from './client'
import type { ErrorMessage, Ready, Scene, Scheduled, Status, StreamWindow } from './protocol'

export type WorkerCommand =
  | { type: 'port'; port: MessagePort }
  /** Streams come from an engine, not from a server. */
  | { type: 'streams'; port: MessagePort }
  | { type: 'start'; url: string; scene: Partial<Scene>; key?: string }
  | { type: 'scene'; change: Partial<Scene>; id: number; at?: number }
  | { type: 'playing'; on: boolean }
  | { type: 'clip'; frames: Float32Array; channels: number; loop: boolean }
  | { type: 'loop'; on: boolean }
  | { type: 'record'; on: boolean; sampleRate: number }
  | { type: 'stop' }

export type WorkerEvent =
  | { type: 'connection'; state: Connection; why: string }
  | { type: 'ready'; ready: Ready; source: number }
  | { type: 'window'; window: StreamWindow; source: number }
  | { type: 'scheduled'; scheduled: Scheduled }
  | { type: 'status'; status: Status }
  | { type: 'error'; error: ErrorMessage }
  | { type: 'columns'; source: number; first: number; count: number; levels: Uint8Array }
  | { type: 'clip'; source: number }
  | { type: 'recorded'; recording: Recording }

/** What was heard: a WAV file and, for the picture, the stretches of the signal it came from. */
export interface Recording {
  wav: ArrayBuffer
  seconds: number
  stretches: { source: number; first: number; end: number }[]
}
