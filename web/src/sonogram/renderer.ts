import type { ColourMap } from './colours'
import type { ColumnStore } from './store'

/** What part of the sonogram is seen, in columns; pixels are those of the canvas. */
export interface Frame {
  /** Column at the left edge. */
  left: number
  /** Columns that fit. */
  span: number
  /** Column that is heard. */
  head: number
  playing: boolean
}

export interface Renderer {
  /** Time from one picture to the next; null is as often as the screen can show one. */
  readonly frameMs: number | null
  setColours(map: ColourMap): void
  resize(width: number, height: number): void
  draw(store: ColumnStore | null, frame: Frame): void
  dispose(): void
}

/** Levels below are black, above are full: room noise does not fog the picture. */
export const BLACK = 0.16
export const WHITE = 0.9
