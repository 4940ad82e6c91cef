import { useEffect, useRef, useState } from 'preact/hooks'
import { CanvasRenderer } from '../sonogram/canvas2d'
import { HIFI, hzAtHeight, hzText, heightAtHz, noteName, timeText } from '../sonogram/format'
import type { Frame, Renderer } from '../sonogram/renderer'
import { clipFrame, streamFrame } from '../sonogram/view'
import { drawsOnGraphicsProcessor, WebGLRenderer } from '../sonogram/webgl'
import { promptText } from '../state/scene'
import { PaintCanvas, PaintTools } from './Paint'
import { colours, painting, player, relief, session } from './studio'
import { Welcome } from './Welcome'

const TICKS_HZ = [100, 250, 500, 1000, 2000, 4000, 8000]
const RESTING_MS = 200
const NOTHING: Renderer = {
  frameMs: RESTING_MS,
  setColours() {},
  resize() {},
  draw() {},
  dispose() {},
}
const still = matchMedia('(prefers-reduced-motion: reduce)')

/** The sonogram: it moves, the line of what is heard stands. */
export function Stage() {
  const box = useRef<HTMLDivElement>(null)
  const line = useRef<HTMLDivElement>(null)
  const turns = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [pointer, setPointer] = useState<{ x: number; y: number } | null>(null)
  const map = colours.value
  const solid = relief.value

  useEffect(() => {
    let ended = false
    let renderer: Renderer | null = null
    let request = 0
    let waiting = 0
    let drawn = ''
    let drawnStore: unknown
    const step = () => {
      // Nothing moves while nothing is heard: a few looks a second are enough.
      const pause = player.outlet.peek() === 'playing' ? (renderer?.frameMs ?? null) : RESTING_MS
      if (pause === null) request = requestAnimationFrame(step)
      else waiting = window.setTimeout(step, pause)
      if (document.hidden) return
      if (!renderer || !box.current || !canvas.current) return
      fit(canvas.current, box.current, renderer)
      const { store, frame } = seen(box.current.clientWidth)
      const { width, height } = canvas.current
      // What stands still is not drawn again: a pause costs nothing.
      const now = JSON.stringify([store?.first, store?.end, frame, width, height])
      if (!solid && now === drawn && store === drawnStore) return
      drawn = now
      drawnStore = store
      renderer.draw(store, frame)
      place(line.current, (frame.head - frame.left) / frame.span)
      label(turns.current, frame)
    }
    void rendererFor(canvas.current!, solid).then((made) => {
      if (ended) return made.dispose()
      renderer = made
      renderer.setColours(map)
      canvas.current!.width = 0
      step()
    })
    return () => {
      ended = true
      cancelAnimationFrame(request)
      clearTimeout(waiting)
      renderer?.dispose()
    }
  }, [map, solid])

  const idle = !session.started.value
  const hover = (event: PointerEvent) => {
    const at = event.currentTarget as HTMLElement
    const { left, top, width, height } = at.getBoundingClientRect()
    setPointer({ x: (event.clientX - left) / width, y: (event.clientY - top) / height })
  }
  return (
    <>
      <div
        ref={box}
        class="sonogram"
        data-idle={idle}
        onPointerMove={hover}
        onPointerLeave={() => setPointer(null)}
      >
        <canvas
          key={`${map.id}${String(solid)}`}
          ref={canvas}
          role="img"
          aria-label={`Sonogram of ${promptText(session.now.value) || 'the music'}`}
        />
        <div ref={turns} class="turns" aria-hidden="true" />
        {!solid && <div ref={line} class="playhead" aria-hidden="true" />}
        {!solid && <Axis />}
        {pointer && !solid && !idle && !painting.value && <Cross {...pointer} />}
        {painting.value && <PaintCanvas />}
        <Welcome />
      </div>
      {painting.value && <PaintTools />}
    </>
  )
}

/** What is on stage, for a width in CSS pixels. */
export function seen(width: number) {
  const place = session.place()
  const staged = session.stage.peek()
  const signal = place.signal ?? staged
  const playing = player.outlet.peek() === 'playing'
  const store = signal?.store ?? null
  const head = store ? store.columnAt(place.signal ? place.sample : 0) : 0
  const clip = session.clip.peek() && store
  const frame = clip
    ? clipFrame(store.end, head, playing)
    : streamFrame(width, head, playing, still.matches)
  return { store, frame, windows: signal?.windows ?? null }
}

async function rendererFor(canvas: HTMLCanvasElement, solid: boolean): Promise<Renderer> {
  if (solid) {
    const { Relief } = await import('../sonogram/relief')
    try {
      return new Relief(canvas)
    } catch {
      // A change of this brings another canvas: this one may be spoilt.
      session.notice.value = 'This browser cannot draw the landscape: here is the flat picture.'
      relief.value = false
      return NOTHING
    }
  }
  return drawsOnGraphicsProcessor() ? new WebGLRenderer(canvas) : new CanvasRenderer(canvas)
}

function fit(canvas: HTMLCanvasElement, box: HTMLElement, renderer: Renderer): void {
  const scale = relief.peek() ? 1 : Math.min(2, devicePixelRatio)
  const width = Math.max(1, Math.round(box.clientWidth * scale))
  const height = Math.max(1, Math.round(box.clientHeight * scale))
  if (canvas.width === width && canvas.height === height) return
  canvas.width = width
  canvas.height = height
  renderer.resize(width, height)
}

function place(element: HTMLElement | null, share: number): void {
  if (element) element.style.left = `${100 * share}%`
}

/** The words at the places where the music turns to them. */
function label(element: HTMLElement | null, frame: Frame): void {
  if (!element) return
  const { store, windows } = seen(element.clientWidth)
  const hop = store?.format.hopLength ?? HIFI.hopLength
  const found = windows?.turns(frame.left * hop, (frame.left + frame.span) * hop) ?? []
  while (element.children.length > found.length) element.lastChild?.remove()
  found.forEach((window, i) => {
    const mark = element.children[i] ?? element.appendChild(document.createElement('span'))
    const words = promptText(window.scene.prompts)
    if (mark.textContent !== words) mark.textContent = words
    const share = (window.first_sample / hop - frame.left) / frame.span
    ;(mark as HTMLElement).style.left = `${100 * share}%`
  })
}

function Axis() {
  const format = session.stage.value?.store.format ?? HIFI
  return (
    <div class="axis" aria-hidden="true">
      {TICKS_HZ.map((hz) => (
        <span key={hz} style={{ bottom: `${100 * heightAtHz(format, hz)}%` }}>
          {hz < 1000 ? hz : `${hz / 1000}k`}
        </span>
      ))}
    </div>
  )
}

function Cross({ x, y }: { x: number; y: number }) {
  const { store, frame } = seen(innerWidth)
  const format = store?.format ?? HIFI
  const hz = hzAtHeight(format, 1 - y)
  const seconds = ((frame.left + x * frame.span) * format.hopLength) / format.sampleRate
  return (
    <div class="cross" aria-hidden="true" style={{ top: `${100 * y}%` }}>
      <span style={{ left: `${100 * x}%` }} data-side={x > 0.7 ? 'left' : 'right'}>
        {hzText(hz)} · {noteName(Math.max(16, hz))}
        {session.clip.value ? ` · ${timeText(seconds)}` : ''}
      </span>
    </div>
  )
}
