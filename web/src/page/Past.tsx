import { promptText } from '../state/scene'
import { Icon } from './icons'
import { session } from './studio'

const SHOWN = 6

/** What was heard: a click plays it again. */
export function Past() {
  const now = promptText(session.now.value)
  const list = session.history.value.filter((text) => text !== now).slice(0, SHOWN)
  if (list.length === 0) return null
  return (
    <section aria-labelledby="history">
      <h2 id="history">Before</h2>
      <ul class="items past">
        {list.map((text) => (
          <li class="item" key={text}>
            <button class="text" title="Play again" onClick={() => session.submit(text)}>
              {text}
            </button>
            {session.streaming && (
              <button
                class="round"
                aria-label={`Blend with ${text}`}
                title="Blend with what is heard"
                onClick={() => session.blend(text)}
              >
                <Icon name="blend" />
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
