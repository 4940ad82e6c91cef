import { TARGETS, type Target } from '../state/midi'
import { Icon } from './icons'
import {
  bindings,
  connect,
  controllers,
  followsClock,
  instruments,
  learning,
  learnPad,
  sendsClock,
  trouble,
  unbind,
} from './midi'

/** Knobs and pads of MIDI controllers: each is bound by moving it. */
export function Controllers() {
  const there = controllers.value
  return (
    <details class="controllers">
      <summary>Controllers</summary>
      {there === null ? (
        <button class="small" onClick={() => void connect()}>
          Connect MIDI
        </button>
      ) : (
        <>
          <p class="facts">
            {there.length > 0 ? there.join(', ') : 'No controller is plugged in.'}
          </p>
          {(Object.keys(TARGETS) as Target[]).map((target) => (
            <Knob key={target} target={target} />
          ))}
          <Pads />
          <label class="chip">
            <input
              type="checkbox"
              checked={followsClock.value}
              onChange={(event) => (followsClock.value = event.currentTarget.checked)}
            />
            Follow the tempo of its clock
          </label>
          <label
            class="chip"
            title={instruments.value.join(', ') || 'No instrument is plugged in.'}
          >
            <input
              type="checkbox"
              checked={sendsClock.value}
              onChange={(event) => (sendsClock.value = event.currentTarget.checked)}
            />
            Send it the clock of the music
          </label>
        </>
      )}
      {trouble.value && <p role="alert">{trouble.value}</p>}
    </details>
  )
}

function Knob({ target }: { target: Target }) {
  const { name } = TARGETS[target]
  const bound = Object.keys(bindings.value.knobs).filter(
    (id) => bindings.value.knobs[id] === target,
  )
  const now = learning.value
  const waits = now !== null && 'target' in now && now.target === target
  return (
    <div class="row">
      <span class="label">{name}</span>
      <span class="spring" />
      {bound.map((id) => (
        <button
          key={id}
          class="small"
          title="Take it away"
          aria-label={`Take knob ${id} away from ${name}`}
          onClick={() => unbind(id)}
        >
          {id} <Icon name="close" />
        </button>
      ))}
      <button
        class="small"
        aria-pressed={waits}
        aria-label={waits ? `${name}: move a knob` : `Learn ${name}`}
        onClick={() => (learning.value = waits ? null : { target })}
      >
        {waits ? 'Move a knob' : 'Learn'}
      </button>
    </div>
  )
}

function Pads() {
  const now = learning.value
  const waits = now !== null && 'words' in now
  return (
    <>
      {Object.entries(bindings.value.pads).map(([id, words]) => (
        <div class="row" key={id}>
          <span class="label">Pad {id}</span>
          <span class="text">{words}</span>
          <span class="spring" />
          <button class="round" aria-label={`Take pad ${id} away`} onClick={() => unbind(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button
        class="small"
        aria-pressed={waits}
        onClick={() => (waits ? (learning.value = null) : learnPad())}
      >
        {waits ? 'Strike a pad' : 'A pad for what is heard'}
      </button>
    </>
  )
}
