/** What the rows and columns of a sonogram mean. */
export interface Format {
  sampleRate: number
  hopLength: number
  nMels: number
  fMinHz: number
  fMaxHz: number
  dbMin: number
  dbMax: number
}

export const HIFI: Format = {
  sampleRate: 44100,
  hopLength: 512,
  nMels: 256,
  fMinHz: 20,
  fMaxHz: 16000,
  dbMin: -80,
  dbMax: 12,
}

const melFromHz = (hz: number) => 2595 * Math.log10(1 + hz / 700)
const hzFromMel = (mel: number) => 700 * (10 ** (mel / 2595) - 1)

/** Frequency at a height of the picture: 0 is its lower edge, 1 its upper. */
export function hzAtHeight(format: Format, height: number): number {
  const low = melFromHz(format.fMinHz)
  const high = melFromHz(format.fMaxHz)
  return hzFromMel(low + ((height * format.nMels + 0.5) / (format.nMels + 1)) * (high - low))
}

/** Inverse of `hzAtHeight`. */
export function heightAtHz(format: Format, hz: number): number {
  const low = melFromHz(format.fMinHz)
  const high = melFromHz(format.fMaxHz)
  const row = ((melFromHz(hz) - low) / (high - low)) * (format.nMels + 1) - 0.5
  return row / format.nMels
}

const NOTES = ['C', 'C♯', 'D', 'E♭', 'E', 'F', 'F♯', 'G', 'A♭', 'A', 'B♭', 'B']

/** Nearest note of equal temperament at A4 = 440 Hz: "A4". */
export function noteName(hz: number): string {
  const midi = Math.round(69 + 12 * Math.log2(hz / 440))
  return `${NOTES[((midi % 12) + 12) % 12]}${Math.floor(midi / 12) - 1}`
}

/** "440 Hz", "1.25 kHz". */
export function hzText(hz: number): string {
  if (hz < 1000) return `${Math.round(hz)} Hz`
  return `${(hz / 1000).toFixed(hz < 10000 ? 2 : 1)} kHz`
}

/** "1:05". */
export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
