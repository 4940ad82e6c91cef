/** Pictures and sounds as the engine has them, and as files. */
import type { SonogramParams } from '@sonoriff/engine/about'
import type { Picture } from '@sonoriff/engine/messages'
import type { ColumnStore } from '../sonogram/store'
import { withText } from './png'

/** More of a file would not fit into the memory of a tab. */
const MOST_SECONDS = 600

const CHUNK_VERSION = 1

/** A grey picture, low notes below, that says what it means and how it was made. */
export async function pngOf(
  picture: Picture,
  params: SonogramParams,
  metadata: object,
): Promise<Blob> {
  const { rows, width, data } = picture
  const { canvas, context } = drawing(width, rows)
  const image = context.createImageData(width, rows)
  const scale = 255 / (params.db_max - params.db_min)
  for (let m = 0; m < rows; m++) {
    for (let k = 0; k < width; k++) {
      const at = 4 * ((rows - 1 - m) * width + k)
      image.data.fill(Math.round((data[m * width + k]! - params.db_min) * scale), at, at + 3)
      image.data[at + 3] = 255
    }
  }
  context.putImageData(image, 0, 0)
  const facts = { version: CHUNK_VERSION, program: 'sonoriff', channels: 1, planes: 1 }
  const text = JSON.stringify({ ...facts, max_value: 0, params, metadata })
  return withText(await canvas.convertToBlob({ type: 'image/png' }), text)
}

/** Decibels of a picture file. */
export async function pictureOfFile(file: Blob, params: SonogramParams): Promise<Picture> {
  const image = await imageOf(file)
  const { n_mels: rows, db_min: low, db_max: high } = params
  if (image.height !== rows) {
    throw new Error(`This is no sonogram: it is ${image.height} pixels high, not ${rows}.`)
  }
  checkLength((image.width * params.hop_length) / params.sample_rate)
  const levels = greens(image, image.width, rows)
  return pictureOf(rows, image.width, (m, k) => low + (levels(m, k) / 255) * (high - low))
}

/** A mask of any size, as large as a picture: 1 where it is white. */
export async function maskOf(file: Blob, { rows, width }: Picture): Promise<Picture> {
  const levels = greens(await imageOf(file), width, rows)
  return pictureOf(rows, width, (m, k) => levels(m, k) / 255)
}

/** Decibels of columns that were heard. */
export function pictureOfColumns(columns: ColumnStore, from: number, to: number): Picture {
  const { nMels, dbMin, dbMax } = columns.format
  const first = Math.max(from, columns.first)
  const width = Math.max(0, Math.min(to, columns.end) - first)
  return pictureOf(
    nMels,
    width,
    (m, k) => dbMin + (columns.level(first + k, m) / 255) * (dbMax - dbMin),
  )
}

/** The middle of a sound file. */
export async function samplesOfFile(
  file: Blob,
  { sample_rate: rate }: SonogramParams,
): Promise<Float32Array<ArrayBuffer>> {
  let sound: AudioBuffer
  try {
    sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer())
  } catch {
    throw new Error('This browser cannot read the file: take WAV, MP3, FLAC or a sonogram.')
  }
  checkLength(sound.duration)
  const middle = new Float32Array(sound.length)
  for (let c = 0; c < sound.numberOfChannels; c++) {
    const channel = sound.getChannelData(c)
    for (let i = 0; i < middle.length; i++) middle[i]! += channel[i]! / sound.numberOfChannels
  }
  return middle
}

/** Interleaved 16-bit frames. */
export function framesOfSamples(samples: Float32Array[]): Int16Array {
  const channels = samples.length
  const frames = new Int16Array(channels * samples[0]!.length)
  samples.forEach((channel, c) => {
    channel.forEach((value, i) => {
      frames[i * channels + c] = Math.round(32767 * Math.max(-1, Math.min(1, value)))
    })
  })
  return frames
}

function checkLength(seconds: number): void {
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new Error(`The file lasts ${Math.round(seconds)} s; at most ${MOST_SECONDS} s are taken.`)
  }
}

function pictureOf(rows: number, width: number, at: (m: number, k: number) => number): Picture {
  const data = new Float32Array(rows * width)
  for (let m = 0; m < rows; m++) for (let k = 0; k < width; k++) data[m * width + k] = at(m, k)
  return { channels: 1, rows, width, data }
}

async function imageOf(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { colorSpaceConversion: 'none' })
  } catch {
    throw new Error('This browser cannot read the picture.')
  }
}

/** Levels of green, which is the middle of a stereo picture; row 0 is the lowest. */
function greens(image: ImageBitmap, width: number, rows: number): (m: number, k: number) => number {
  const { context } = drawing(width, rows)
  context.drawImage(image, 0, 0, width, rows)
  const { data } = context.getImageData(0, 0, width, rows)
  return (m, k) => data[4 * ((rows - 1 - m) * width + k) + 1]!
}

function drawing(width: number, height: number) {
  const canvas = new OffscreenCanvas(Math.max(1, width), height)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('This browser cannot make pictures.')
  return { canvas, context }
}
