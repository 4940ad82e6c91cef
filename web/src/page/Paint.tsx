import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { attributesOf } from '../riffs/api'
import { heightAtHz } from '../sonogram/format'
import {
  BANDS,
  drawMask,
  EMPTY,
  redone,
  snapped,
  undone,
  withLast,
  withStroke,
  type Mask,
  type Place,
  type Stroke,
} from '../state/mask'
import { promptText } from '../state/scene'
import { Icon } from './icons'
import { keepHeard, workOn } from './jobs'
import { api, painting, session, titleOf } from './studio'

const KEPT_S = 6
const TOOLS = [
  { id: 'brush', name: 'Brush', about: 'Paint by hand' },
  { id: 'box', name: 'Box', about: 'Drag from corner to corner' },
  { id: 'band', name: 'Band', about: 'Drag up or down: notes from low to high, all the time' },
] as const

const mask = signal<Mask>(EMPTY)
const tool = signal<(typeof TOOLS)[number]['id']>('brush')
const erase = signal(false)
const size = signal(0.09)
const snap = signal(false)
const words = signal('')
let canvas: HTMLCanvasElement | null = null

/** Whether anything is painted, so that it can be made anew. */
const painted = () => mask.value.strokes.slice(0, mask.value.count).some((one) => !one.erase)

/**
 * The picture to paint on: what is to be made anew. A stream has to be kept as a riff first: what
 * was just heard is, and stands still.
 */
export function PaintCanvas() {
  const from = useRef<Place | null>(null)
  useEffect(() => {
    mask.value = EMPTY
    const clip = session.clip.peek()
    words.value = clip ? titleOf(clip) : promptText(session.now.peek())
    if (clip) return
    keepHeard(KEPT_S)
      .then(async (riff) => {
        if (riff) await session.open(riff)
        else painting.value = false
      })
      .catch((error: Error) => {
        session.notice.value = error.message
        painting.value = false
      })
  }, [])
  useEffect(() => {
    if (canvas) drawMask(canvas, mask.value)
  }, [mask.value])
  const draw = (event: PointerEvent, begins: boolean) => {
    if (event.buttons === 0 || !canvas) return
    const { left, top, width, height } = canvas.getBoundingClientRect()
    const place = {
      x: Math.max(0, Math.min(1, (event.clientX - left) / width)),
      y: Math.max(0, Math.min(1, (event.clientY - top) / height)),
    }
    if (begins) from.current = place
    if (!from.current) return
    const last = begins ? null : (mask.value.strokes[mask.value.count - 1] ?? null)
    const stroke = strokeTo(from.current, place, last)
    mask.value = last ? withLast(mask.value, stroke) : withStroke(mask.value, stroke)
  }
  return (
    <canvas
      ref={(element) => {
        canvas = element
      }}
      class="mask"
      width="768"
      height="512"
      role="img"
      aria-label="Mask: paint over what is to be made anew"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        draw(event, true)
      }}
      onPointerMove={(event) => draw(event, false)}
      onPointerUp={() => (from.current = null)}
    />
  )
}

/** The stroke from where the finger was put down to where it is. */
function strokeTo(from: Place, to: Place, last: Stroke | null): Stroke {
  const shared = { erase: erase.value }
  if (tool.value === 'brush') {
    const points = last?.kind === 'line' ? [...last.points, to] : [from, to]
    return { kind: 'line', points, size: size.value, ...shared }
  }
  const [left, right] = tool.value === 'band' ? [0, 1] : sides(from.x, to.x)
  return { kind: 'box', from: { x: left, y: from.y }, to: { x: right, y: to.y }, ...shared }
}

/** Left and right of a box; with bars to snap to, whole bars around it. */
function sides(a: number, b: number): [number, number] {
  const bar = snap.value ? barShare() : null
  const [low, high] = a < b ? [a, b] : [b, a]
  if (bar === null) return [low, high]
  const left = Math.floor(low / bar + 1e-6) * bar
  return [left, Math.min(1, Math.max(left + bar, snapped(high, bar)))]
}

/** A bar's share of the riff's length; null where its tempo is not known. */
function barShare(): number | null {
  const clip = session.clip.value
  const bpm = clip ? attributesOf(clip).bpm : null
  return bpm && clip?.duration_s ? Math.min(1, 240 / bpm / clip.duration_s) : null
}

/** What to do with the painted part; beside the picture, so that nothing of it is covered. */
export function PaintTools() {
  const clip = session.clip.value
  const now = mask.value
  const remake = async () => {
    if (!clip || !canvas) return
    const picture = await pictureOf(canvas)
    const seed = Math.floor(Math.random() * 100_000)
    painting.value = false
    const prompt = words.value
    await workOn('Painting', () => api.inpaint(clip, picture, { prompt, seed }))
  }
  return (
    <form
      class="brushes"
      aria-label="Paint"
      onSubmit={(event) => {
        event.preventDefault()
        void remake()
      }}
    >
      <div class="chips" role="radiogroup" aria-label="Tool">
        {TOOLS.map(({ id, name, about }) => (
          <label key={id} class="chip" title={about}>
            <input
              type="radio"
              name="tool"
              checked={tool.value === id}
              onChange={() => (tool.value = id)}
            />
            {name}
          </label>
        ))}
      </div>
      <label class="chip" title="Take paint away">
        <input
          type="checkbox"
          checked={erase.value}
          onChange={(event) => (erase.value = event.currentTarget.checked)}
        />
        Erase
      </label>
      <label class="chip" title="Boxes begin and end with a bar, where the tempo is known">
        <input
          type="checkbox"
          checked={snap.value}
          disabled={barShare() === null}
          onChange={(event) => (snap.value = event.currentTarget.checked)}
        />
        Snap to bars
      </label>
      <input
        type="range"
        class="size"
        aria-label="Brush size"
        title="Brush size"
        min="0.02"
        max="0.4"
        step="0.01"
        value={size.value}
        style={{ '--at': `${((size.value - 0.02) / 0.38) * 100}%` }}
        onInput={(event) => (size.value = Number(event.currentTarget.value))}
      />
      <button
        type="button"
        class="round"
        aria-label="Undo"
        title="Undo"
        disabled={now.count === 0}
        onClick={() => (mask.value = undone(now))}
      >
        <Icon name="undo" />
      </button>
      <button
        type="button"
        class="round"
        aria-label="Redo"
        title="Redo"
        disabled={now.count === now.strokes.length}
        onClick={() => (mask.value = redone(now))}
      >
        <Icon name="redo" />
      </button>
      <div class="chips bands" role="group" aria-label="Bands">
        {BANDS.map(({ name, low, high }) => (
          <button
            key={name}
            type="button"
            class="small"
            title={`${low} to ${high} Hz`}
            onClick={() => (mask.value = withStroke(now, band(low, high)))}
          >
            {name}
          </button>
        ))}
      </div>
      <input
        class="wide"
        aria-label="What the painted part is to become"
        maxLength={500}
        value={words.value}
        onInput={(event) => (words.value = event.currentTarget.value)}
      />
      <button class="primary" disabled={!painted() || !clip}>
        Make anew
      </button>
      <button
        type="button"
        class="small"
        onClick={() => (mask.value = EMPTY)}
        disabled={now.count === 0}
      >
        Clear
      </button>
      <button type="button" class="small" onClick={() => (painting.value = false)}>
        Leave
      </button>
    </form>
  )
}

/** A band over the whole time. */
function band(low: number, high: number): Stroke {
  const format = session.stage.value!.store.format
  const at = (hz: number) => Math.max(0, Math.min(1, 1 - heightAtHz(format, hz)))
  return { kind: 'box', from: { x: 0, y: at(high) }, to: { x: 1, y: at(low) }, erase: erase.value }
}

/** White on black. */
async function pictureOf(source: HTMLCanvasElement): Promise<Blob> {
  const picture = new OffscreenCanvas(source.width, source.height)
  const context = picture.getContext('2d')
  if (!context) throw new Error('This browser cannot make pictures.')
  context.fillStyle = '#000'
  context.fillRect(0, 0, picture.width, picture.height)
  context.drawImage(source, 0, 0)
  return picture.convertToBlob({ type: 'image/png' })
}
