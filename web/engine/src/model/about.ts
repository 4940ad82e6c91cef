/** `model.json`: the numbers of an exported model. */

export interface SonogramParams {
  name: string
  sample_rate: number
  hop_length: number
  win_length: number
  n_fft: number
  n_mels: number
  f_min: number
  f_max: number
  db_min: number
  db_max: number
}

export interface Defaults {
  sampler: string
  num_inference_steps: number
  guidance_scale: number
  guidance_interval: [number, number]
  shift: number
  paced_share: number
}

export interface CodecNumbers {
  iterations: number
  momentum: number
  start_updates: number
  block_frames: number
  hop: number
  win: number
  n_fft: number
  unit: number
  lead: number
  full_lead: number
  span: number
  look_ahead_frames: number
  max_gain: number
  least_window_power: number
  hann_gamma: number
  log_tolerance: number
  log_floor: number
  n_classes: number
}

export interface StoredFile {
  bytes: number
  sha256: string
}

export interface About {
  version: number
  name: string
  weights: string
  /** Of the channels the last `sides` are pan and width, 2 or none. */
  latents: { channels: number; sides: number; rows: number; window: number }
  cell: { rows: number; columns: number }
  column_seconds: number
  conditions: string[]
  defaults: Defaults
  sonogram: SonogramParams
  window_frames: number
  max_tokens: number
  keys: string[]
  modes: string[]
  kinds: string[]
  storage: string
  codec: CodecNumbers
  graphs: Record<string, { location: string; places: Record<string, [number, number]> }>
  files: Record<string, StoredFile>
}

export const FORMAT_VERSION = 1
