/** What a page and the engine's worker say to each other. */
import type { About, StoredFile } from './model/about'
import type { Settings } from './pipeline/verbs'
import type { ClientMessage } from './stream/host'

export type { ClientMessage }

/** Decibels (channels, mels, columns) of a sonogram. */
export interface Picture {
  channels: number
  rows: number
  width: number
  data: Float32Array<ArrayBuffer>
}

/** A verb with its settings, and its source where it has one. */
export type Work =
  | { verb: 'generate'; settings: Settings & { duration_s?: number | null } }
  | { verb: 'loop'; settings: Settings & { bars?: number } }
  | { verb: 'remix'; settings: Settings & { strength?: number }; source: Picture }
  | { verb: 'inpaint'; settings: Settings; source: Picture; mask: Picture }
  | { verb: 'decode'; source: Picture }
  | { verb: 'encode'; samples: Float32Array<ArrayBuffer>[] }

/** Addresses of what the engine needs, and on how many threads it computes. */
export interface Places {
  /** Of the exported model. */
  folder: string
  /** onnxruntime's own files. */
  mjs: string
  wasm: string
  /** `native/engine.wasm`. */
  native: string
  /** What `wasm` and `native` are checked by, where that is known. */
  stored?: { wasm: StoredFile; native: StoredFile }
  /** More than one only where the page is isolated. */
  threads: number
}

export type EngineCommand =
  | ({ type: 'load' } & Places)
  /** A worker that wants streams, over a port of its own. */
  | { type: 'streams'; port: MessagePort }
  | { type: 'work'; id: number; work: Work }
  | { type: 'cancel'; id: number }

export type EngineEvent =
  | { type: 'loading'; loaded: number; total: number }
  | { type: 'ready'; about: About; threads: number }
  | { type: 'failed'; message: string }
  | { type: 'progress'; id: number; step: number; steps: number }
  | { type: 'done'; id: number; picture: Picture; samples: Float32Array[]; settings: object }
  | { type: 'error'; id: number; message: string }

/** Of a stream's port: a socket, several of them by their numbers. */
export type ToStream =
  | { id: number; type: 'open' }
  | { id: number; type: 'message'; message: ClientMessage }
  | { id: number; type: 'close' }

export type FromStream =
  | { id: number; type: 'opened' }
  | { id: number; type: 'message'; data: string | ArrayBuffer }
  | { id: number; type: 'closed'; code: number }
