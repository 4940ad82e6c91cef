/** What is painted on a sonogram, as strokes that can be undone; places are 0 to 1 of the picture. */

export interface Place {
  x: number
  y: number
}

export type Stroke =
  | { kind: 'line'; points: Place[]; size: number; erase: boolean }
  | { kind: 'box'; from: Place; to: Place; erase: boolean }

/** Strokes, and how many of them are not undone. */
export interface Mask {
  strokes: readonly Stroke[]
  count: number
}

export const EMPTY: Mask = { strokes: [], count: 0 }

/** Bands by name, in Hz. */
export const BANDS = [
  { name: 'Sub', low: 20, high: 60 },
  { name: 'Bass', low: 60, high: 250 },
  { name: 'Low mid', low: 250, high: 500 },
  { name: 'Mid', low: 500, high: 2000 },
  { name: 'High', low: 2000, high: 6000 },
  { name: 'Air', low: 6000, high: 16000 },
] as const

/** A mask with another stroke; those that were undone are gone. */
export function withStroke(mask: Mask, stroke: Stroke): Mask {
  const strokes = [...mask.strokes.slice(0, mask.count), stroke]
  return { strokes, count: strokes.length }
}

/** A mask whose last stroke is another; while it is drawn. */
export function withLast(mask: Mask, stroke: Stroke): Mask {
  return withStroke({ ...mask, count: mask.count - 1 }, stroke)
}

export const undone = (mask: Mask): Mask => ({ ...mask, count: Math.max(0, mask.count - 1) })
export const redone = (mask: Mask): Mask => ({
  ...mask,
  count: Math.min(mask.strokes.length, mask.count + 1),
})

/** A place brought to the nearest bar line. @param bar width of a bar, 0 to 1; null leaves it */
export function snapped(x: number, bar: number | null): number {
  return bar === null ? x : Math.max(0, Math.min(1, Math.round(x / bar) * bar))
}

/** Draw a mask, white on nothing. */
export function drawMask(canvas: HTMLCanvasElement, mask: Mask): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const { width, height } = canvas
  context.clearRect(0, 0, width, height)
  context.lineCap = context.lineJoin = 'round'
  context.strokeStyle = context.fillStyle = '#fff'
  for (const stroke of mask.strokes.slice(0, mask.count)) {
    context.globalCompositeOperation = stroke.erase ? 'destination-out' : 'source-over'
    if (stroke.kind === 'box') {
      const { from, to } = stroke
      const left = Math.min(from.x, to.x) * width
      const top = Math.min(from.y, to.y) * height
      context.fillRect(left, top, Math.abs(to.x - from.x) * width, Math.abs(to.y - from.y) * height)
      continue
    }
    context.lineWidth = stroke.size * height
    context.beginPath()
    const [first, ...rest] = stroke.points
    if (!first) continue
    context.moveTo(first.x * width, first.y * height)
    for (const { x, y } of rest.length > 0 ? rest : [first]) context.lineTo(x * width, y * height)
    context.stroke()
  }
  context.globalCompositeOperation = 'source-over'
}
