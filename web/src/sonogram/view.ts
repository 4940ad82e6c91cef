import type { Frame } from './renderer'

/** Where the playhead stands, from the left edge: on a wide screen further to the right. */
const HEAD = 0.72
/** Columns seen beyond the playhead at most: two seconds are asked for, more are seldom there. */
const MOST_COMING = 170
/** Columns for each CSS pixel, and the fewest seconds on a narrow screen. */
const COLUMNS_PER_PIXEL = 0.62

/**
 * The part of a stream that is seen. The picture moves under a playhead that stands still; with
 * `still` the picture stands and the playhead moves, page by page, for who is made ill by motion.
 *
 * @param head column that is heard, with its fraction
 */
export function streamFrame(width: number, head: number, playing: boolean, still: boolean): Frame {
  const span = Math.max(160, width * COLUMNS_PER_PIXEL)
  const page = span * 0.8
  const left = still
    ? Math.floor(head / page) * page
    : head - Math.max(HEAD * span, span - MOST_COMING)
  return { left, span, head, playing }
}

/** The whole of a clip. */
export function clipFrame(columns: number, head: number, playing: boolean): Frame {
  return { left: 0, span: Math.max(1, columns), head, playing }
}
