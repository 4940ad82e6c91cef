import { useRef } from 'preact/hooks'
import { moved } from '../state/list'
import { promptText } from '../state/scene'
import type { Waiting } from '../state/session'
import { Icon } from './icons'
import { said, session } from './studio'

/** What comes next, in an order that can be changed by hand or by key. */
export function Upcoming() {
  const coming = session.coming.value
  const waiting = session.waiting.value
  if (!coming && waiting.length === 0) return null
  return (
    <section aria-labelledby="next">
      <h2 id="next">Next</h2>
      {coming && (
        <p class="item coming">
          <span class="pulse" aria-hidden="true" />
          <span class="text">{promptText(coming.prompts)}</span>
        </p>
      )}
      <ol class="items">
        {waiting.map((item, at) => (
          <Item key={item.id} item={item} at={at} />
        ))}
      </ol>
    </section>
  )
}

function Item({ item, at }: { item: Waiting; at: number }) {
  const grip = useRef<HTMLButtonElement>(null)
  const put = (to: number) => {
    const list = session.waiting.value
    const from = list.indexOf(item)
    if (to === from || to < 0 || to >= list.length) return
    session.waiting.value = moved(list, from, to)
    said.value = `${item.text}: place ${to + 1} of ${list.length}`
  }
  const drag = (event: PointerEvent) => {
    const list = grip.current?.closest('ol')
    if (!list || !grip.current?.hasPointerCapture(event.pointerId)) return
    const others = [...list.children].map((child) => child.getBoundingClientRect())
    const to = others.findIndex((box) => event.clientY < box.bottom)
    put(to < 0 ? others.length - 1 : to)
  }
  const key = (event: KeyboardEvent) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    event.stopPropagation()
    put(at + step)
    requestAnimationFrame(() => grip.current?.focus())
  }
  return (
    <li class="item">
      <button
        ref={grip}
        class="grip"
        aria-label={`Move ${item.text}: arrow keys`}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={key}
      >
        <Icon name="grip" />
      </button>
      <button class="text" title="Play now" onClick={() => session.bringForward(item)}>
        {item.text}
      </button>
      <button
        class="round"
        aria-label={`Blend with ${item.text}`}
        title="Blend with what is heard"
        onClick={() => {
          session.waiting.value = session.waiting.value.filter((other) => other !== item)
          session.blend(item.text)
        }}
      >
        <Icon name="blend" />
      </button>
      <button
        class="round"
        aria-label={`Take away ${item.text}`}
        onClick={() => {
          session.waiting.value = session.waiting.value.filter((other) => other !== item)
        }}
      >
        <Icon name="close" />
      </button>
    </li>
  )
}
