/** Latents to pictures to decibels, and back: `sonoriff.pipeline.latent_codec`. */
import type { About, SonogramParams } from '../model/about'
import type { Networks } from '../model/networks'
import { Grid, modulo, range } from './grid'

const MARGIN_CELLS = 12
const PIECE_CELLS = 128

/** Decibels of a picture in [-1, 1]. */
export function valuesFromPicture(picture: Grid, { db_min: low, db_max: high }: SonogramParams) {
  return picture.map((value) =>
    Math.min(high, Math.max(low, (value + 1) * 0.5 * (high - low) + low)),
  )
}

/** Inverse of `valuesFromPicture`. */
export function pictureFromValues(values: Grid, { db_min: low, db_max: high }: SonogramParams) {
  return values.map((value) => Math.min(1, Math.max(-1, ((value - low) * 2) / (high - low) - 1)))
}

/** The picture of latents of any length, decoded in pieces. */
export async function pictureFromLatents(
  networks: Networks,
  latents: Grid,
  circular = false,
): Promise<Grid> {
  const { width } = latents
  if (width <= PIECE_CELLS && !circular) return networks.decode(latents)
  const { columns } = networks.about.cell
  const left = circular ? MARGIN_CELLS : 0
  const wide = circular ? extended(latents, left, left, true) : latents
  const pieces: Grid[] = []
  for (let start = 0; start < width; start += PIECE_CELLS) {
    const count = Math.min(PIECE_CELLS, width - start)
    const first = Math.max(0, start + left - MARGIN_CELLS)
    const last = Math.min(wide.width, start + left + count + MARGIN_CELLS)
    const picture = await networks.decode(wide.slice(first, last))
    const skip = (start + left - first) * columns
    pieces.push(picture.slice(skip, skip + count * columns))
  }
  return Grid.joined(pieces)
}

/** Latents of a picture of any length; its ends are mirrored, or joined where it is circular. */
export async function latentsFromPicture(
  networks: Networks,
  picture: Grid,
  circular = false,
): Promise<Grid> {
  const { columns } = networks.about.cell
  const width = Math.ceil(picture.width / columns)
  const margin = MARGIN_CELLS * columns
  const wide = extended(picture, margin, margin + width * columns - picture.width, circular)
  const pieces: Grid[] = []
  for (let start = 0; start < width; start += PIECE_CELLS) {
    const count = Math.min(PIECE_CELLS, width - start)
    const part = wide.slice(start * columns, (start + count) * columns + 2 * margin)
    const latents = await networks.encode(part)
    pieces.push(latents.slice(MARGIN_CELLS, MARGIN_CELLS + count))
  }
  return Grid.joined(pieces)
}

function extended(grid: Grid, left: number, right: number, circular: boolean): Grid {
  const { width } = grid
  const places = range(-left, width + right)
  if (circular) return grid.columns(places.map((place) => modulo(place, width)))
  const period = Math.max(1, 2 * width - 2)
  const mirrored = places.map((place) => modulo(Math.abs(place), period))
  return grid.columns(mirrored.map((place) => (place < width ? place : period - place)))
}

/** Columns that the model's own window has; a length in seconds in whole columns. */
export const framesOf = ({ sonogram, window_frames: window }: About, seconds: number | null) =>
  seconds === null
    ? window
    : Math.max(1, Math.round((seconds * sonogram.sample_rate) / sonogram.hop_length))
