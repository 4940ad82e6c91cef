import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { promptText } from '../state/scene'
import { api, painting, session } from './studio'
import { keepHeard, workOn } from './work'

const BRUSH = 0.045
const KEPT_S = 6

interface Mask {
  canvas: RefObject<HTMLCanvasElement | null>
  painted: boolean
  onPainted: (painted: boolean) => void
}

/**
 * The picture to paint on: what is to be made anew. A stream has to be kept as a riff first: what
 * was just heard is, and stands still.
 */
export function PaintCanvas({ canvas, onPainted }: Mask) {
  const last = useRef<{ x: number; y: number } | null>(null)
  useEffect(() => {
    if (session.clip.peek()) return
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
  const stroke = (event: PointerEvent) => {
    const context = canvas.current?.getContext('2d')
    if (!canvas.current || !context || event.buttons === 0) return
    const { left, top, width, height } = canvas.current.getBoundingClientRect()
    const to = {
      x: ((event.clientX - left) / width) * canvas.current.width,
      y: ((event.clientY - top) / height) * canvas.current.height,
    }
    const from = last.current ?? to
    context.strokeStyle = '#fff'
    context.lineCap = 'round'
    context.lineWidth = 2 * BRUSH * canvas.current.height
    context.beginPath()
    context.moveTo(from.x, from.y)
    context.lineTo(to.x, to.y)
    context.stroke()
    last.current = to
    onPainted(true)
  }
  return (
    <canvas
      ref={canvas}
      class="mask"
      width="768"
      height="512"
      role="img"
      aria-label="Mask: paint over what is to be made anew"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        last.current = null
        stroke(event)
      }}
      onPointerMove={stroke}
    />
  )
}

/** What to do with the painted part; beside the picture, so that nothing of it is covered. */
export function PaintTools({ canvas, painted, onPainted }: Mask) {
  const [prompt, setPrompt] = useState(promptText(session.now.value))
  const clip = session.clip.value
  const clear = () => {
    canvas.current?.getContext('2d')?.clearRect(0, 0, canvas.current.width, canvas.current.height)
    onPainted(false)
  }
  const remake = async () => {
    if (!clip || !canvas.current) return
    const mask = await maskOf(canvas.current)
    const seed = Math.floor(Math.random() * 100_000)
    painting.value = false
    await workOn('Painting', () => api.inpaint(clip, mask, { prompt, seed }))
  }
  return (
    <form
      class="brushes"
      onSubmit={(event) => {
        event.preventDefault()
        void remake()
      }}
    >
      <input
        class="wide"
        aria-label="What the painted part is to become"
        maxLength={500}
        value={prompt}
        onInput={(event) => setPrompt(event.currentTarget.value)}
      />
      <button class="primary" disabled={!painted || !clip}>
        Make anew
      </button>
      <button type="button" class="small" onClick={clear} disabled={!painted}>
        Clear
      </button>
      <button type="button" class="small" onClick={() => (painting.value = false)}>
        Leave
      </button>
    </form>
  )
}

/** White on black. */
async function maskOf(canvas: HTMLCanvasElement): Promise<Blob> {
  const mask = new OffscreenCanvas(canvas.width, canvas.height)
  const context = mask.getContext('2d')
  if (!context) throw new Error('This browser cannot make pictures.')
  context.fillStyle = '#000'
  context.fillRect(0, 0, mask.width, mask.height)
  context.drawImage(canvas, 0, 0)
  return mask.convertToBlob({ type: 'image/png' })
}
