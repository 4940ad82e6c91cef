import { keyShown } from '../state/keys'
import { promptText } from '../state/scene'
import { Icon } from './icons'
import { session } from './studio'

/** What is heard, and the slider that blends it with something else. */
export function Now() {
  const clip = session.clip.value
  const words = clip ? clip.prompt : promptText(session.now.value)
  const { bpm, key } = session.heard.value ?? session.scene.value
  const facts = [bpm ? `${Math.round(bpm)} bpm` : '', key ? keyShown(key) : '']
    .filter(Boolean)
    .join(' · ')
  return (
    <section class="now" aria-labelledby="now">
      <h2 id="now">{clip ? 'Riff' : 'Now'}</h2>
      <p class="words">{words || 'whatever comes'}</p>
      {facts && !clip && <p class="facts">{facts}</p>}
      <div class="turn" aria-hidden="true" style={{ opacity: session.share.value < 1 ? 1 : 0 }}>
        <span style={{ transform: `scaleX(${session.share.value})` }} />
      </div>
      {clip && (
        <button class="small" onClick={() => void session.backToStream()}>
          Back to the stream
        </button>
      )}
      {!clip && <Blend />}
    </section>
  )
}

function Blend() {
  const pair = session.pair.value
  if (!pair) return null
  const percent = Math.round(100 * pair.mix)
  const move = (value: string) => (session.pair.value = { ...pair, mix: Number(value) / 100 })
  return (
    <div class="blend">
      <div class="ends">
        <span>{pair.a}</span>
        <span>{pair.b}</span>
      </div>
      <div class="row">
        <input
          id="blend"
          type="range"
          min="0"
          max="100"
          value={percent}
          style={{ '--at': `${percent}%` }}
          aria-label="Blend"
          aria-valuetext={`${percent} percent ${pair.b}`}
          onInput={(event) => move(event.currentTarget.value)}
          onChange={() => session.blend(pair.b, session.pair.value?.mix ?? 0.5)}
        />
        <button class="round" aria-label="End the blend" onClick={() => session.endBlend()}>
          <Icon name="close" />
        </button>
      </div>
    </div>
  )
}
