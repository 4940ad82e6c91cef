/** A sonogram decoded as a circle, so that it loops without a join: `sonoriff.pipeline.circular`. */
import { realFft } from '../math/fft'
import type { SonogramParams } from '../model/about'
import { Grid, modulo, range } from '../pipeline/grid'
import { decode } from './decoder'
import type { Native } from './native'

/** Columns of the other end that are decoded before the start, and over which the two are faded. */
const LEAD_FRAMES = 64
const FADE_FRAMES = 16
const ITERATIONS = 16

/** Samples of a loop, exactly `count` of them; the last column is followed by the first. */
export function decodeLoop(
  native: Native,
  params: SonogramParams,
  values: Grid,
  count: number,
): Float32Array[] {
  const { hop } = native.numbers
  return faded(native, params, values).map((turn, channel) => {
    const start = circleResampled(turn, values.width * hop)
    return circleResampled(
      refined(native, start, workingMel(native, params, values, channel)),
      count,
    )
  })
}

/** One turn of the loop whose end leads to its start but for the phase. */
function faded(native: Native, params: SonogramParams, values: Grid): Float32Array[] {
  const { width } = values
  const hop = params.hop_length
  const order = range(-LEAD_FRAMES, width + LEAD_FRAMES).map((place) => modulo(place, width))
  const [begin, length] = [LEAD_FRAMES * hop, width * hop]
  const fade = Math.min(FADE_FRAMES * hop, Math.floor(length / 2))
  return decode(native, params, values.columns(order)).map((waveform) => {
    const turn = waveform.slice(begin, begin + length)
    for (let i = 0; i < fade; i++) {
      // Equal power: the two have the same spectrum and unrelated phases.
      const share = fade > 1 ? i / (fade - 1) : 0
      const place = length - fade + i
      const lead = waveform[begin - fade + i]!
      turn[place] = Math.sqrt(1 - share) * turn[place]! + Math.sqrt(share) * lead
    }
    return turn
  })
}

/** Mel magnitudes (N, M) at the working rate. */
function workingMel(
  native: Native,
  params: SonogramParams,
  { rows, width, data }: Grid,
  channel: number,
): Float32Array {
  const mel = new Float32Array(width * rows)
  for (let row = 0; row < rows; row++) {
    for (let n = 0; n < width; n++) {
      const level = data[(channel * rows + row) * width + n]!
      mel[n * rows + row] = level <= params.db_min ? 0 : 10 ** (level / 20) / native.numbers.unit
    }
  }
  return mel
}

/** Consistency steps on the circle, which bring the phases of both ends together. */
function refined(native: Native, start: Float32Array, mel: Float32Array): Float32Array {
  const tables = native.tables('decode')
  const { hop, win, lead, n_fft: nFft, momentum, least_window_power: least } = native.numbers
  const frames = mel.length / tables.start.length
  const { length } = start
  const overlap = Math.ceil(win / hop)
  const synthesis = tables.window.map((value) => value / nFft)
  const power = new Float32Array(length)
  for (let first = 0; first < length; first += hop) {
    for (let i = 0; i < win; i++) power[modulo(first - lead + i, length)]! += tables.window[i]! ** 2
  }
  const floor = least * power.reduce((most, value) => Math.max(most, value), 0)
  let [now, earlier] = [start, start]
  for (let step = 0; step < ITERATIONS; step++) {
    const stretch = new Float32Array((frames - 1) * hop + win)
    for (let i = 0; i < stretch.length; i++) {
      const place = modulo(i - lead, length)
      stretch[i] = now[place]! + momentum * (now[place]! - earlier[place]!)
    }
    const total = new Float32Array((frames + overlap - 1) * hop)
    native.consistencyStep(stretch, mel, tables, synthesis, total)
    const next = new Float32Array(length)
    for (let i = 0; i < total.length; i++) next[modulo(i - lead, length)]! += total[i]!
    for (let i = 0; i < length; i++) next[i]! /= Math.max(power[i]!, floor)
    ;[earlier, now] = [now, next]
  }
  return now
}

/** One turn of a circle at `count` places, exactly: its Fourier series. */
export function circleResampled(x: Float32Array, count: number): Float32Array {
  const { length } = x
  if (length === count) return x
  const [before, after] = [realFft(length), realFft(count)]
  before.forward(x)
  // Frequencies that both lengths can hold.
  const kept = Math.floor((Math.min(length, count) + 1) / 2)
  after.re.fill(0)
  after.im.fill(0)
  for (let k = 0; k < kept; k++) {
    after.re[k] = (before.re[k]! * count) / length
    after.im[k] = (before.im[k]! * count) / length
  }
  return Float32Array.from(after.inverse())
}
