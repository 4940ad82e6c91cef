/** Phase from magnitude by phase-gradient heap integration: `sonoriff.sonogram.phase`. */
import type { Native } from './native'

const { fround } = Math
const NOTHING = -1
const TURN = fround(2 * Math.PI)

/**
 * Phase (N, F) of a run of columns, measured at the centre of the window.
 *
 * `magnitude` is (N + 2, F): the column before, the N columns, the column after. `random` (N, F) is
 * used where there is too little to integrate.
 *
 * Průša, Balazs & Søndergaard (2017), IEEE/ACM TASLP 25(5).
 */
export function phaseFromMagnitude(
  native: Native,
  magnitude: Float32Array,
  earlier: Float32Array | null,
  random: Float32Array,
  bins: number,
): Float32Array {
  const { hop, win, n_fft: nFft, log_floor: floor } = native.numbers
  const rows = magnitude.length / bins - 1
  const logs = magnitude.map((value) => Math.log(Math.max(value, fround(floor))))
  const phase = new Float32Array(rows * bins)
  if (earlier) phase.set(earlier)
  phase.set(random, bins)
  const gamma = native.numbers.hann_gamma * win * win
  const columnStep = columnSteps(logs, rows, bins, gamma, hop, nFft)
  const binStep = binSteps(logs, rows, bins, -gamma / (2 * hop * nFft))
  const classes = classesOf(native, logs.subarray(0, rows * bins), bins)
  const done = Uint8Array.from(classes, (loud) => (loud === NOTHING ? 1 : 0)).fill(1, 0, bins)
  const order = loudestFirst(classes, bins, native.numbers.n_classes)
  native.spreadPhase(phase, columnStep, binStep, classes, order, done, bins, earlier !== null)
  return phase.subarray(bins).map((value) => {
    const rest = value % TURN
    return rest < 0 ? rest + TURN : rest
  })
}

function columnSteps(
  logs: Float32Array,
  rows: number,
  bins: number,
  gamma: number,
  hop: number,
  nFft: number,
): Float32Array {
  const factor = fround((hop * nFft) / (2 * gamma))
  const result = new Float32Array(rows * bins)
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < bins; f++) {
      const at = row * bins + f
      const inner = f > 0 && f < bins - 1
      const slope = inner
        ? fround(logs[at + 1]! - logs[at - 1]!)
        : fround(2 * fround(f === 0 ? logs[at + 1]! - logs[at]! : logs[at]! - logs[at - 1]!))
      result[at] = fround(slope * factor) + fround(((2 * Math.PI * hop) / nFft) * f)
    }
  }
  return result
}

function binSteps(logs: Float32Array, rows: number, bins: number, by: number): Float32Array {
  const factor = fround(by)
  const result = new Float32Array(rows * bins)
  for (let at = 0; at < rows * bins; at++) {
    const change =
      at < bins
        ? fround(2 * fround(logs[at + bins]! - logs[at]!))
        : logs[at + bins]! - logs[at - bins]!
    result[at] = fround(change) * factor
  }
  return result
}

/** Loudness class of each bin, or NOTHING where it is too faint to integrate. */
function classesOf(native: Native, logs: Float32Array, earlier: number): Int16Array {
  const { n_classes: count, log_tolerance: tolerance } = native.numbers
  let most = -Infinity
  for (let i = earlier; i < logs.length; i++) most = Math.max(most, logs[i]!)
  const threshold = fround(most + tolerance)
  const factor = fround((count - 1) / -tolerance)
  return Int16Array.from(logs, (value) => {
    const height = fround(fround(value - threshold) * factor)
    return height < 0 ? NOTHING : Math.min(height, count - 1)
  })
}

/** Bins from `first` on, loudest first, equal ones in their order. */
function loudestFirst(classes: Int16Array, first: number, count: number): Int32Array {
  const starts = new Int32Array(count + 1)
  for (let i = first; i < classes.length; i++) starts[classes[i]! + 1]! += 1
  let place = 0
  for (let loud = count; loud >= 0; loud--) {
    const here = starts[loud]!
    starts[loud] = place
    place += here
  }
  const order = new Int32Array(classes.length - first)
  for (let i = first; i < classes.length; i++) order[starts[classes[i]! + 1]!++] = i
  return order
}
