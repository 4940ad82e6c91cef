/** The key of a sound: `sonoriff.analysis.key`. */
import { realFft } from '../math/fft'
import { KEYS, type Key } from '../model/music'
import type { SonogramParams } from '../model/about'
import { modulo, range, type Grid } from '../pipeline/grid'

const N_FFT = 8192
const HOP = 2048
const LOWEST_HZ = 80
const HIGHEST_HZ = 2000
/** How well each degree of the scale fits the key, from listeners: Krumhansl & Kessler (1982). */
const PROFILES = {
  major: [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
  minor: [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
}
/** Generated music is usually in a key, though less clearly than recorded music. */
export const LIKELY_KEY = 0.5

/** Key and mode of a sound; null where its notes are not as like any key as `least`. */
export function findKey(samples: Float32Array, sampleRate: number, least: number): Key | null {
  const low = Math.round((LOWEST_HZ * N_FFT) / sampleRate)
  const high = Math.round((HIGHEST_HZ * N_FFT) / sampleRate)
  const frames = spectra(samples, low - 1, high + 1)
  const loudest = frames.reduce((most, frame) => frame.reduce((a, b) => Math.max(a, b), most), 0)
  return plainestKey(chromaOf(frames, range(low - 1, high + 1).map(hz(sampleRate)), loudest), least)
}

const hz = (sampleRate: number) => (bin: number) => (bin * sampleRate) / N_FFT

/** Key and mode of a sonogram in decibels, lowest row first. */
export function findKeyOfPicture(levels: Grid, params: SonogramParams, least: number): Key | null {
  const frequencies = rowFrequencies(params)
  const heard = frequencies.map((f) => f >= LOWEST_HZ && f < HIGHEST_HZ)
  const [first, last] = [Math.max(0, heard.indexOf(true) - 1), heard.lastIndexOf(true) + 2]
  const amplitude = levels.data.map((level) => 10 ** (level / 20))
  const loudest = amplitude.reduce((a, b) => Math.max(a, b), 0)
  const frames = range(0, levels.width).map((column) =>
    Float64Array.from(range(first, last), (row) => amplitude[row * levels.width + column]!),
  )
  return plainestKey(chromaOf(frames, frequencies.slice(first, last), loudest), least)
}

/** The middle of each row, in Hz: `sonoriff.sonogram.filter_bank`. */
function rowFrequencies({ f_min, f_max, n_mels }: SonogramParams): number[] {
  const mel = (f: number) => 2595 * Math.log10(1 + f / 700)
  const [low, high] = [mel(f_min), mel(f_max)]
  return range(1, n_mels + 1).map((row) => {
    const place = low + ((high - low) * row) / (n_mels + 1)
    return 700 * (10 ** (place / 2595) - 1)
  })
}

function plainestKey(chroma: number[], least: number): Key | null {
  let best: [number, Key] = [-Infinity, ['C', null]]
  for (const [mode, profile] of Object.entries(PROFILES)) {
    for (const tonic of range(0, 12)) {
      const turned = range(0, 12).map((note) => profile[modulo(note - tonic, 12)]!)
      const likeness = correlation(chroma, turned)
      if (likeness > best[0]) best = [likeness, [KEYS[tonic]!, mode]]
    }
  }
  return best[0] > least ? best[1] : null
}

/** Strength of the twelve notes, C first, summing to one, or zeros for silence. */
function chromaOf(frames: Float64Array[], frequencies: number[], loudest: number): number[] {
  const chroma = range(0, 12).map(() => 0)
  for (const frame of frames) {
    for (let k = 1; k + 1 < frame.length; k++) {
      const [before, middle, after] = [frame[k - 1]!, frame[k]!, frame[k + 1]!]
      if (!(middle > before && middle >= after && middle > 1e-2 * loudest)) continue
      const [a, b, c] = [before, middle, after].map((x) => Math.log(Math.max(x, 1e-12)))
      // The place of the peak between the bins, by a parabola.
      const offset = (0.5 * (a! - c!)) / Math.min(a! - 2 * b! + c!, -1e-9)
      const [here, there] = [frequencies[k]!, frequencies[k + Math.sign(offset)]!]
      const note = 12 * Math.log2((here + Math.abs(offset) * (there - here)) / 440) + 9
      const nearest = Math.round(note)
      const weight = Math.sqrt(middle) * Math.cos(Math.PI * (note - nearest)) ** 2
      chroma[modulo(nearest, 12)]! += weight
    }
  }
  const total = chroma.reduce((sum, strength) => sum + strength, 0)
  return total ? chroma.map((strength) => strength / total) : chroma
}

/** Magnitudes of the bins [first, last) of each frame. */
function spectra(samples: Float32Array, first: number, last: number): Float64Array[] {
  const fft = realFft(N_FFT)
  const window = Float64Array.from(
    { length: N_FFT },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (N_FFT - 1)),
  )
  const count = Math.floor((Math.max(samples.length, N_FFT) - N_FFT) / HOP) + 1
  return range(0, count).map((n) => {
    const part = samples.subarray(n * HOP, n * HOP + N_FFT)
    fft.forward(Float64Array.from(part, (value, i) => value * window[i]!))
    return Float64Array.from(range(first, last), (k) => Math.hypot(fft.re[k]!, fft.im[k]!))
  })
}

/** In [-1, 1]; 0 where one of them is even. */
function correlation(x: number[], y: number[]): number {
  const centred = (values: number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return values.map((value) => value - mean)
  }
  const [a, b] = [centred(x), centred(y)]
  const dot = (u: number[], v: number[]) => u.reduce((sum, value, i) => sum + value * v[i]!, 0)
  return dot(a, b) / Math.max(Math.sqrt(dot(a, a) * dot(b, b)), 1e-12)
}
