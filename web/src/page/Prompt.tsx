import { useRef } from 'preact/hooks'
import { idea } from '../state/ideas'
import { Icon } from './icons'
import { draft, promptField, session } from './studio'

/** Where words are typed. Up and down go through what was played, as in a shell. */
export function Prompt() {
  const back = useRef(-1)
  const submit = (event: Event) => {
    event.preventDefault()
    session.submit(draft.value)
    draft.value = ''
    back.current = -1
  }
  const walk = (event: KeyboardEvent) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const history = session.history.value
    back.current = Math.max(-1, Math.min(history.length - 1, back.current + step))
    draft.value = history[back.current] ?? ''
  }
  return (
    <form class="prompt" onSubmit={submit} role="search" aria-label="Prompt">
      <input
        id="prompt"
        ref={(field) => {
          promptField.current = field
        }}
        value={draft.value}
        maxLength={500}
        autocomplete="off"
        enterkeyhint="send"
        placeholder={session.started.value ? 'What comes next?' : 'What do you want to hear?'}
        aria-label="What comes next?"
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={walk}
      />
      <button
        type="button"
        class="round"
        aria-label="An idea"
        title="An idea"
        onClick={() => {
          draft.value = idea()
          promptField.current?.focus()
        }}
      >
        <Icon name="dice" />
      </button>
      <button class="round accent" aria-label="Play this">
        <Icon name="enter" />
      </button>
    </form>
  )
}
