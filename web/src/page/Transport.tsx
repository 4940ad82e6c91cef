import { useEffect, useRef } from 'preact/hooks'
import { COLOUR_MAPS } from '../sonogram/colours'
import { timeText } from '../sonogram/format'
import { Icon } from './icons'
import { colours, painting, player, relief, session } from './studio'

export function Transport() {
  const on = player.wanted.value
  const started = session.started.value
  return (
    <div class="transport" role="toolbar" aria-label="Player">
      <button
        class="play"
        aria-label={on ? 'Pause' : 'Play'}
        aria-pressed={on}
        onClick={() => void session.toggle()}
      >
        <Icon name={on ? 'pause' : 'play'} />
      </button>
      <Time />
      <input
        class="volume"
        type="range"
        min="0"
        max="100"
        value={100 * player.volume.value}
        aria-label="Volume"
        title="Volume"
        style={{ '--at': `${100 * player.volume.value}%` }}
        onInput={(event) => player.setVolume(Number(event.currentTarget.value) / 100)}
      />
      <span class="spring" />
      <button
        class="round record"
        aria-label={session.recording.value ? 'Stop recording' : 'Record'}
        title={session.recording.value ? 'Stop recording' : 'Record what is heard'}
        aria-pressed={session.recording.value}
        disabled={!started}
        onClick={() => session.record(!session.recording.value)}
      >
        <span class="disc" aria-hidden="true" />
      </button>
      <button
        class="round"
        aria-label="Paint"
        title="Paint over what is to be made anew"
        aria-pressed={painting.value}
        disabled={!started}
        onClick={() => (painting.value = !painting.value)}
      >
        <Icon name="brush" />
      </button>
      <button
        class="round"
        aria-label="Relief"
        title="As a landscape"
        aria-pressed={relief.value}
        onClick={() => (relief.value = !relief.value)}
      >
        <Icon name="relief" />
      </button>
      <Colours />
    </div>
  )
}

function Time() {
  const text = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    const tick = setInterval(() => {
      const { signal, sample } = session.place()
      const rate = signal?.store.format.sampleRate ?? 44100
      const said = timeText(sample / rate)
      // The same words, written again, would be drawn again.
      if (text.current && text.current.textContent !== said) text.current.textContent = said
    }, 200)
    return () => clearInterval(tick)
  }, [])
  return (
    <span class="time" ref={text} role="timer" aria-label="Time heard">
      0:00
    </span>
  )
}

function Colours() {
  return (
    <div class="colours" role="radiogroup" aria-label="Colours">
      {COLOUR_MAPS.map((map) => (
        <label key={map.id} title={map.name}>
          <input
            type="radio"
            name="colours"
            aria-label={map.name}
            checked={colours.value === map}
            onChange={() => (colours.value = map)}
          />
          <span
            style={{ background: `linear-gradient(90deg, ${map.stops.slice(2, 7).join(', ')})` }}
          />
        </label>
      ))}
    </div>
  )
}
