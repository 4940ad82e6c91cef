/** Binary frames of the wire protocol: a header of 16 bytes, then sound or columns. */
import type { SonogramParams } from '../model/about'
import type { Grid } from '../pipeline/grid'

export const MAX_SAMPLES = 8192
export const MAX_COLUMNS = 1024
const VERSION = 1
const HEADER = 16

/** A frame of int16 samples, interleaved. */
export function soundFrame(sound: Int16Array, channels: number, firstSample: number): ArrayBuffer {
  const buffer = headed(1, channels, sound.length / channels, firstSample, sound.byteLength)
  new Int16Array(buffer, HEADER).set(sound)
  return buffer
}

/** A frame of uint8 columns, each of `channels` strips of mel rows. */
export function columnsFrame(
  columns: Uint8Array,
  channels: number,
  count: number,
  firstSample: number,
): ArrayBuffer {
  const buffer = headed(2, channels, count, firstSample, columns.byteLength)
  new Uint8Array(buffer, HEADER).set(columns)
  return buffer
}

function headed(
  kind: number,
  channels: number,
  count: number,
  first: number,
  bytes: number,
): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER + bytes)
  const view = new DataView(buffer)
  view.setUint8(0, kind)
  view.setUint8(1, VERSION)
  view.setUint8(2, channels)
  view.setUint32(4, count, true)
  view.setBigUint64(8, BigInt(first), true)
  return buffer
}

/** Decibels as bytes, column after column. */
export function columnBytes(values: Grid, { db_min: low, db_max: high }: SonogramParams) {
  const { channels, rows, width, data } = values
  const lines = channels * rows
  const bytes = new Uint8Array(lines * width)
  for (let line = 0; line < lines; line++) {
    for (let n = 0; n < width; n++) {
      const level = (data[line * width + n]! - low) / (high - low)
      bytes[n * lines + line] = Math.round(255 * Math.min(1, Math.max(0, level)))
    }
  }
  return bytes
}

/** Samples of each channel as int16, interleaved. */
export function soundBytes(samples: Float32Array[]): Int16Array {
  const channels = samples.length
  const sound = new Int16Array(channels * samples[0]!.length)
  samples.forEach((part, channel) => {
    for (let i = 0; i < part.length; i++) {
      sound[i * channels + channel] = Math.round(32767 * Math.min(1, Math.max(-1, part[i]!)))
    }
  })
  return sound
}
