/** Waveform to decibels: `sonoriff.sonogram.columns.log_mel`. */
import type { SonogramParams } from '../model/about'
import { Grid } from '../pipeline/grid'
import type { Native } from './native'

/** Of a spectrum of full scale, before its logarithm is taken. */
const AMPLITUDE_FLOOR = 1e-10
/** Enough to fill the lanes, few enough to need little memory. */
const COLUMNS_AT_ONCE = 128

/** Decibels (C, M, N) of the samples of each channel; the last hop is filled up with silence. */
export function encode(native: Native, params: SonogramParams, channels: Float32Array[]): Grid {
  const { hop_length: hop, win_length: win, n_mels: mels, db_min: low, db_max: high } = params
  const tables = native.tables('encode')
  const length = channels[0]!.length
  const frames = Math.ceil(length / hop)
  const left = (params.n_fft - hop) / 2 - (params.n_fft - win) / 2
  const values = new Grid(channels.length, mels, frames)
  channels.forEach((samples, channel) => {
    const heard = new Float32Array(left + frames * hop + win)
    heard.set(samples, left)
    for (let first = 0; first < frames; first += COLUMNS_AT_ONCE) {
      const count = Math.min(COLUMNS_AT_ONCE, frames - first)
      const piece = heard.slice(first * hop, (first + count - 1) * hop + win)
      const mel = native.melColumns(piece, count, hop, tables)
      for (let i = 0; i < mel.length; i++) {
        const amplitude = Math.max((mel[i]! * 4) / win, AMPLITUDE_FLOOR)
        const level = Math.min(high, Math.max(low, 20 * Math.log10(amplitude)))
        const row = channel * mels + Math.floor(i / count)
        values.data[row * frames + first + (i % count)] = level
      }
    }
  })
  return values
}
