import { keyShown } from '../state/keys'
import { promptText } from '../state/scene'
import { attributesOf } from '../riffs/api'
import { Downloads } from './Downloads'
import { session, titleOf } from './studio'

/** What is heard, and the slider that blends it with something else. */
export function Now() {
  const clip = session.clip.value
  const words = clip ? titleOf(clip) : promptText(session.now.value)
  const { bpm, key } = clip ? attributesOf(clip) : (session.heard.value ?? session.scene.value)
  const facts = [bpm ? `${Math.round(bpm)} bpm` : '', key ? keyShown(key) : '']
    .filter(Boolean)
    .join(' · ')
  return (
    <section class="now" aria-labelledby="now">
      <h2 id="now">{clip ? 'Riff' : 'Now'}</h2>
      <p class="words">{words || 'whatever comes'}</p>
      {facts && <p class="facts">{facts}</p>}
      <div class="turn" aria-hidden="true" style={{ opacity: session.share.value < 1 ? 1 : 0 }}>
        <span style={{ transform: `scaleX(${session.share.value})` }} />
      </div>
      {clip && (
        <div class="row">
          <button class="small" onClick={() => void session.backToStream()}>
            Back to the stream
          </button>
          <button
            class="small"
            aria-pressed={session.looping.value}
            onClick={() => session.loop(!session.looping.value)}
          >
            Loop
          </button>
          <Downloads riff={clip} />
        </div>
      )}
    </section>
  )
}
