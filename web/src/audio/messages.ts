/** What main thread, worker and audio worklet say to each other. */

import type { OutletState } from './outlet'
import type { Tick } from './clock'

export interface WorkletOptions {
  channels: number
  sampleRate: number
}

/** Main thread to worklet. */
export type WorkletControl =
  { type: 'port'; port: MessagePort } | { type: 'play' } | { type: 'pause' }

/** Worklet to main thread. */
export interface WorkletReport {
  type: 'tick'
  tick: Tick
  state: OutletState
  source: number
  buffered: number
  underruns: number
}

/** Worker to worklet. */
export type SoundMessage =
  | { type: 'load'; source: number; first: number }
  | { type: 'sound'; source: number; frames: Float32Array }
  | { type: 'finish'; source: number }
  | { type: 'record'; on: boolean }

/** Worklet to worker. `position` is the next frame to be played, `buffered` how many wait. */
export type LevelMessage =
  | {
      type: 'level'
      source: number
      position: number
      buffered: number
      underruns: number
      state: OutletState
    }
  | { type: 'heard'; source: number; first: number; frames: Int16Array; channels: number }
  | { type: 'recorded' }
