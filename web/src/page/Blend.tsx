import { useRef } from 'preact/hooks'
import { idea } from '../state/ideas'
import { MOST_SOUNDS, placesOf, pointOf, shares, sharesAt, type Point } from '../state/blend'
import type { WeightedPrompt } from '../stream/protocol'
import { Icon } from './icons'
import { session } from './studio'

const STEP = 0.05

/** Two to four sounds at once: each has a fader, and all of them a plane. */
export function Blend() {
  const mix = session.mix.value
  if (mix.length < 2) {
    return (
      <button class="small blend-begin" onClick={() => session.blend(idea())}>
        <Icon name="blend" /> Blend with another sound
      </button>
    )
  }
  const parts = shares(mix.map(({ weight }) => weight))
  const set = (i: number, change: Partial<WeightedPrompt>, heard: boolean) =>
    session.setMix(
      mix.map((one, at) => (at === i ? { ...one, ...change } : { ...one, weight: parts[at]! })),
      heard,
    )
  return (
    <section class="blend" aria-labelledby="blend">
      <div class="row">
        <h2 id="blend">Blend</h2>
        <span class="spring" />
        <button
          class="round"
          aria-label="Add a sound"
          title="Add a sound"
          disabled={mix.length >= MOST_SOUNDS}
          onClick={() => session.blend(idea())}
        >
          <Icon name="plus" />
        </button>
        <button
          class="round"
          aria-label="End the blend"
          title="End the blend"
          onClick={() => session.endBlend()}
        >
          <Icon name="close" />
        </button>
      </div>
      <Plane mix={mix} parts={parts} />
      {mix.map((one, i) => (
        <Fader
          key={i}
          number={i + 1}
          sound={one}
          share={parts[i]!}
          onWords={(text) => set(i, { text }, true)}
          onShare={(share, heard) => set(i, { weight: weightFor(share, parts, i) }, heard)}
          onRemove={() =>
            session.setMix(
              mix.filter((_, at) => at !== i),
              true,
            )
          }
        />
      ))}
    </section>
  )
}

/** The weight that gives one sound this share of all, the others keeping theirs to each other. */
function weightFor(share: number, parts: readonly number[], i: number): number {
  const others = 1 - parts[i]!
  if (share >= 1) return 1e6
  return others > 0 ? (others * share) / (1 - share) : share > 0 ? 1 : 0
}

interface FaderProps {
  number: number
  sound: WeightedPrompt
  share: number
  onWords: (text: string) => void
  onShare: (share: number, heard: boolean) => void
  onRemove: () => void
}

function Fader({ number, sound, share, onWords, onShare, onRemove }: FaderProps) {
  const percent = Math.round(100 * share)
  return (
    <div class="fader">
      <input
        class="wide"
        aria-label={`Sound ${number}`}
        maxLength={500}
        value={sound.text}
        onChange={(event) => onWords(event.currentTarget.value)}
      />
      <input
        type="range"
        min="0"
        max="100"
        value={percent}
        style={{ '--at': `${percent}%` }}
        aria-label={`Share of sound ${number}`}
        aria-valuetext={`${percent} percent ${sound.text}`}
        onInput={(event) => onShare(Number(event.currentTarget.value) / 100, false)}
        onChange={(event) => onShare(Number(event.currentTarget.value) / 100, true)}
      />
      <output>{percent} %</output>
      <button class="round" aria-label={`Leave sound ${number} out`} onClick={onRemove}>
        <Icon name="close" />
      </button>
    </div>
  )
}

/** A point between the sounds: the nearer to one, the more of it. */
function Plane({ mix, parts }: { mix: WeightedPrompt[]; parts: number[] }) {
  const box = useRef<HTMLDivElement>(null)
  // While it is dragged the point is where the finger is, not where its rounded shares would be.
  const held = useRef<Point | null>(null)
  const point = held.current ?? pointOf(parts)
  const move = (to: Point, heard: boolean) => {
    const next = { x: clamp(to.x), y: clamp(to.y) }
    const found = sharesAt(next, mix.length)
    session.setMix(
      mix.map((one, i) => ({ ...one, weight: found[i]! })),
      heard,
    )
    return next
  }
  const follow = (event: PointerEvent, heard: boolean) => {
    const { left, top, width, height } = box.current!.getBoundingClientRect()
    const to = { x: (event.clientX - left) / width, y: (event.clientY - top) / height }
    held.current = { x: clamp(to.x), y: clamp(to.y) }
    move(to, heard)
  }
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ]
    if (!by) return
    event.preventDefault()
    held.current = move({ x: point.x + STEP * by[0]!, y: point.y + STEP * by[1]! }, true)
  }
  const said = mix.map(({ text }, i) => `${Math.round(100 * parts[i]!)} percent ${text}`).join(', ')
  return (
    <div class="plane" data-count={mix.length}>
      <div
        ref={box}
        class="field-of-play"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          follow(event, false)
        }}
        onPointerMove={(event) => event.buttons > 0 && follow(event, false)}
        onPointerUp={(event) => {
          follow(event, true)
          held.current = null
        }}
      >
        {placesOf(mix.length).map(({ x, y }, i) => (
          <span key={i} class="pole" style={{ left: `${100 * x}%`, top: `${100 * y}%` }}>
            {i + 1}
          </span>
        ))}
        <button
          class="puck"
          role="slider"
          aria-label="Point between the sounds: arrow keys"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(100 * (parts[0] ?? 0))}
          aria-valuetext={said}
          style={{
            left: `${100 * point.x}%`,
            top: `${mix.length === 2 ? 50 : 100 * point.y}%`,
          }}
          onKeyDown={key}
          onBlur={() => (held.current = null)}
        />
      </div>
    </div>
  )
}

const clamp = (value: number): number => Math.max(0, Math.min(1, value))
