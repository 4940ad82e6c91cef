import { useRef, useState } from 'preact/hooks'
import {
  energyOf,
  moved,
  removed,
  rerolled,
  sectionText,
  songSeconds,
  totalBars,
  withBars,
  withEnergy,
} from '../songs/song'
import { change, chosen, current, rendered, song, songPlayer } from '../songs/workshop'
import { api, said } from './studio'

// A press that moves less than this, in pixels, is a click.
const SLIP = 6

/** The sections as blocks over the sonogram; on a narrow screen as a list. */
export function Timeline() {
  const now = song.value!
  const bars = totalBars(now)
  const seconds = songSeconds(now)
  const row = useRef<HTMLOListElement>(null)
  return (
    <div class="timeline">
      <Sonogram bars={bars} />
      <ol class="blocks" ref={row} aria-label="Sections">
        {now.section.map((section, i) => (
          <Block key={`${section.name} ${i}`} index={i} row={row} />
        ))}
      </ol>
      <div class="head-of-play" style={{ left: `${(100 * songPlayer.place.value) / seconds}%` }} />
      <input
        class="place"
        type="range"
        aria-label="Play from"
        min="0"
        max={seconds}
        step="0.1"
        value={songPlayer.place.value}
        disabled={songPlayer.ready.value === 0}
        style={{ '--at': `${(100 * songPlayer.place.value) / seconds}%` }}
        onInput={(event) => songPlayer.seek(Number(event.currentTarget.value))}
      />
    </div>
  )
}

function Sonogram({ bars }: { bars: number }) {
  const done = rendered.value
  if (!done) return null
  const shown = done.song.section.slice(0, done.sections).reduce((sum, s) => sum + s.bars, 0)
  return (
    <img
      class={current.value ? 'picture' : 'picture old'}
      style={{ width: `${Math.min(100, (100 * shown) / bars)}%` }}
      src={api.file(done.riff, 'png')}
      alt=""
      draggable={false}
    />
  )
}

interface Dragging {
  what: 'block' | 'edge'
  from: number
  by: number
}

function Block({ index, row }: { index: number; row: { current: HTMLOListElement | null } }) {
  const now = song.value!
  const section = now.section[index]!
  const [drag, setDrag] = useState<Dragging | null>(null)
  const preview =
    drag?.what === 'edge' ? withBars(now, index, section.bars + barsOf(drag.by, row)) : now
  const shown = preview.section[index]!
  const press = (what: Dragging['what']) => (event: PointerEvent) => {
    if (event.button !== 0) return
    event.stopPropagation()
    ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
    setDrag({ what, from: event.clientX, by: 0 })
  }
  const follow = (event: PointerEvent) => {
    if (drag) setDrag({ ...drag, by: event.clientX - drag.from })
  }
  const drop = (event: PointerEvent) => {
    if (!drag) return
    setDrag(null)
    if (drag.what === 'edge') change(preview)
    else if (Math.abs(drag.by) > SLIP) place(moved(now, index, placeAt(event.clientX, row)))
    else chosen.value = index
  }
  /** After a move the same section stays the chosen one. */
  const place = (next: typeof now) => {
    chosen.value = Math.max(
      0,
      next.section.findIndex(({ name }) => name === section.name),
    )
    change(next)
    said.value = `${section.name} is section ${chosen.value + 1} now.`
    focus(row, chosen.value)
  }
  const keys = (event: KeyboardEvent) => {
    const act = keyed(event, index, row, place)
    if (!act) return
    event.preventDefault()
    event.stopPropagation()
    act()
  }
  return (
    <li
      class={`block${chosen.value === index ? ' chosen' : ''}${drag?.what === 'block' ? ' moving' : ''}`}
      style={{
        flexGrow: shown.bars,
        transform: drag?.what === 'block' ? `translateX(${drag.by}px)` : undefined,
      }}
    >
      <button
        class="name"
        aria-pressed={chosen.value === index}
        aria-label={sectionText(preview, index)}
        onPointerDown={press('block')}
        onPointerMove={follow}
        onPointerUp={drop}
        onPointerCancel={() => setDrag(null)}
        onClick={() => (chosen.value = index)}
        onKeyDown={keys}
      >
        <span class="word">{shown.name}</span>
        <span class="count">{shown.bars}</span>
      </button>
      <EnergyLine index={index} />
      <span
        class="edge"
        title="Pull to lengthen"
        onPointerDown={press('edge')}
        onPointerMove={follow}
        onPointerUp={drop}
        onPointerCancel={() => setDrag(null)}
      />
    </li>
  )
}

/** What a key does on a block; null for keys that are not its own. */
function keyed(
  event: KeyboardEvent,
  index: number,
  row: { current: HTMLOListElement | null },
  place: (next: NonNullable<typeof song.value>) => void,
): (() => void) | null {
  const now = song.value!
  const { bars } = now.section[index]!
  const energy = (by: number) => {
    const levels = energyOf(now, index)
    const first = withEnergy(now, index, 0, levels[0] + by)
    change(withEnergy(first, index, 1, levels[1] + by))
  }
  const step = (by: number) => () => {
    const to = Math.max(0, Math.min(now.section.length - 1, index + by))
    if (event.altKey) place(moved(now, index, to))
    else nameOf(row, (chosen.value = to))?.focus() // at once: the next key may come at once
  }
  const actions: Record<string, () => void> = {
    ArrowLeft: step(-1),
    ArrowRight: step(1),
    ArrowUp: () => energy(0.5),
    ArrowDown: () => energy(-0.5),
    '+': () => change(withBars(now, index, bars + 1)),
    '=': () => change(withBars(now, index, bars + 1)),
    '-': () => change(withBars(now, index, bars - 1)),
    r: () => change(rerolled(now, index)),
    Delete() {
      change(removed(now, index))
      focus(row, Math.min(index, song.value!.section.length - 1))
    },
  }
  if (event.ctrlKey || event.metaKey) return null
  return actions[event.key] ?? null
}

function EnergyLine({ index }: { index: number }) {
  const now = song.value!
  const { name } = now.section[index]!
  const [drawn, setDrawn] = useState<{ end: 0 | 1; level: number } | null>(null)
  const levels: [number, number] = [...energyOf(now, index)]
  if (drawn) levels[drawn.end] = drawn.level
  const height = (level: number) => 100 - ((level - 0.5) / 5) * 100
  const at = (event: PointerEvent, end: 0 | 1) => {
    const box = (event.currentTarget as Element).parentElement!.getBoundingClientRect()
    const level = 0.5 + 5 * (1 - (event.clientY - box.top) / box.height)
    setDrawn({ end, level: Math.min(5, Math.max(1, Math.round(2 * level) / 2)) })
  }
  return (
    <div class="energy">
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <polygon points={`0,100 0,${height(levels[0])} 100,${height(levels[1])} 100,100`} />
      </svg>
      {([0, 1] as const).map((end) => (
        <span
          key={end}
          class="dot"
          role="slider"
          tabIndex={0}
          aria-label={`Energy of ${name} at its ${end ? 'end' : 'beginning'}`}
          aria-valuemin={1}
          aria-valuemax={5}
          aria-valuenow={levels[end]}
          style={{ top: `${height(levels[end])}%`, [end ? 'right' : 'left']: 0 }}
          onPointerDown={(event) => {
            ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
            at(event, end)
          }}
          onPointerMove={(event) => drawn && at(event, end)}
          onPointerUp={() => {
            if (drawn) change(withEnergy(now, index, drawn.end, drawn.level))
            setDrawn(null)
          }}
          onPointerCancel={() => setDrawn(null)}
          onKeyDown={(event) => {
            const by = { ArrowUp: 0.5, ArrowRight: 0.5, ArrowDown: -0.5, ArrowLeft: -0.5 }[
              event.key
            ]
            if (by === undefined) return
            event.preventDefault()
            change(withEnergy(now, index, end, levels[end] + by))
          }}
        />
      ))}
    </div>
  )
}

function barsOf(pixels: number, row: { current: HTMLOListElement | null }): number {
  const width = row.current?.clientWidth ?? 1
  return Math.round((pixels / width) * totalBars(song.value!))
}

/** The place among the sections that a pointer is over. */
function placeAt(x: number, row: { current: HTMLOListElement | null }): number {
  const blocks = [...(row.current?.children ?? [])].filter((b) => !b.matches('.moving'))
  const middles = blocks.map((block) => {
    const box = block.getBoundingClientRect()
    return box.left + box.width / 2
  })
  return middles.filter((middle) => middle < x).length
}

function nameOf(row: { current: HTMLOListElement | null }, index: number): HTMLElement | null {
  return row.current?.children[index]?.querySelector<HTMLElement>('button.name') ?? null
}

function focus(row: { current: HTMLOListElement | null }, index: number): void {
  requestAnimationFrame(() => {
    nameOf(row, index)?.focus()
  })
}
