import { useState } from 'preact/hooks'
import { idea } from '../state/ideas'
import { invitation, session } from './studio'

const IDEAS = 3

/** What the empty stage says before the first sound: three ways to begin. */
export function Welcome() {
  const [ideas] = useState(() => Array.from({ length: IDEAS }, () => idea()))
  if (session.started.value || session.clip.value) return null
  const title = invitation.value
  if (title) {
    return (
      <section class="welcome" aria-labelledby="welcome">
        <h2 id="welcome">{title}</h2>
        <button class="primary" onClick={() => void session.toggle()}>
          Play: {title}
        </button>
      </section>
    )
  }
  return (
    <section class="welcome" aria-labelledby="welcome">
      <h2 id="welcome">Music from words, without end</h2>
      <p>Press play, type what you want to hear, or begin with one of these.</p>
      <ul>
        {ideas.map((text) => (
          <li key={text}>
            <button class="small" onClick={() => session.submit(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
