import { palette, type ColourMap } from './colours'
import { BLACK, WHITE, type Frame, type Renderer } from './renderer'
import type { ColumnStore } from './store'

/** The sonogram without WebGL: columns are painted once into strips, frames move the strips. */
export class CanvasRenderer implements Renderer {
  // It draws where no graphics processor does, and every picture costs.
  readonly frameMs = 1000 / 10
  private readonly context: CanvasRenderingContext2D
  private readonly strip: OffscreenCanvas
  private readonly stripContext: OffscreenCanvasRenderingContext2D
  private readonly table = new Uint32Array(256)
  private ground = '#000'
  private store: ColumnStore | null = null
  private painted = 0
  private readonly ring = 2048

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { alpha: false })
    this.strip = new OffscreenCanvas(this.ring, 256)
    const stripContext = this.strip.getContext('2d')
    if (!context || !stripContext) throw new Error('no canvas here')
    this.context = context
    this.stripContext = stripContext
  }

  setColours(map: ColourMap): void {
    const colours = new Uint32Array(palette(map).buffer)
    for (let i = 0; i < 256; i++) {
      const level = Math.max(0, Math.min(1, (i / 255 - BLACK) / (WHITE - BLACK)))
      this.table[i] = colours[Math.round(255 * level)]!
    }
    this.ground = map.stops[0]!
    this.painted = this.store?.first ?? 0
  }

  resize(): void {}

  draw(store: ColumnStore | null, frame: Frame): void {
    const { context } = this
    const { width, height } = context.canvas
    context.fillStyle = this.ground
    context.fillRect(0, 0, width, height)
    if (!store) return
    this.paint(store)
    const scale = width / frame.span
    let k = Math.max(store.first, store.end - this.ring, Math.floor(frame.left))
    const end = Math.min(store.end, Math.ceil(frame.left + frame.span) + 1)
    while (k < end) {
      const x = k % this.ring
      const count = Math.min(end - k, this.ring - x)
      const at = (k - frame.left) * scale
      context.drawImage(this.strip, x, 0, count, store.format.nMels, at, 0, count * scale, height)
      k += count
    }
    const ahead = (frame.head - frame.left) * scale
    context.globalAlpha = 0.58
    context.fillRect(ahead, 0, width - ahead, height)
    context.globalAlpha = 1
  }

  dispose(): void {}

  private paint(store: ColumnStore): void {
    const { nMels } = store.format
    if (store !== this.store) {
      this.store = store
      this.painted = store.first
      this.strip.height = nMels
    }
    for (let k = Math.max(this.painted, store.end - this.ring); k < store.end; k++) {
      const column = store.column(k)
      if (!column) continue
      const pixels = new Uint32Array(nMels)
      for (let m = 0; m < nMels; m++) pixels[nMels - 1 - m] = this.table[column[m]!]!
      const image = new ImageData(new Uint8ClampedArray(pixels.buffer), 1, nMels)
      this.stripContext.putImageData(image, k % this.ring, 0)
    }
    this.painted = store.end
  }
}
