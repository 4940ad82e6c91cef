import {
  type Changes,
  doubled,
  energyOf,
  MAX_BARS,
  moved,
  removed,
  rerolled,
  type Song,
  type Transition,
  withBars,
  withEnergy,
  withSection,
} from '../songs/song'
import { change, chosen, song } from '../songs/workshop'
import { said } from './studio'

const TRANSITIONS: Transition[] = ['cut', 'crossfade', 'riser', 'fill']

/** Everything about the chosen section, in plain fields. */
export function SectionEditor() {
  const now = song.value!
  const index = Math.min(chosen.value, now.section.length - 1)
  const section = now.section[index]!
  const set = (values: Changes) => change(withSection(now, index, values))
  const earlier = now.section.slice(0, index).map(({ name }) => name)
  const levels = energyOf(now, index)
  const move = (by: number) => {
    const to = index + by
    chosen.value = to
    change(moved(now, index, to))
    said.value = `${section.name} is section ${to + 1} now.`
  }
  return (
    <fieldset class="section">
      <legend>
        Section {index + 1} of {now.section.length}
      </legend>
      <label>
        Name
        <input
          type="text"
          maxLength={100}
          value={section.name}
          onChange={({ currentTarget: { value } }) => value.trim() && set({ name: value.trim() })}
        />
      </label>
      <label>
        Bars
        <input
          type="number"
          min="1"
          max={MAX_BARS}
          value={section.bars}
          onChange={({ currentTarget: { valueAsNumber } }) =>
            valueAsNumber > 0 && change(withBars(now, index, valueAsNumber))
          }
        />
      </label>
      {([0, 1] as const).map((end) => (
        <label key={end}>
          {end ? 'Energy at the end' : 'Energy at the beginning'}
          <input
            type="number"
            min="1"
            max="5"
            step="0.5"
            value={levels[end]}
            onChange={({ currentTarget: { valueAsNumber } }) =>
              valueAsNumber > 0 && change(withEnergy(now, index, end, valueAsNumber))
            }
          />
        </label>
      ))}
      <label class="long">
        Prompt
        <input
          type="text"
          maxLength={500}
          placeholder={now.style ?? ''}
          value={section.prompt ?? ''}
          onChange={({ currentTarget: { value } }) => set({ prompt: value || undefined })}
        />
      </label>
      <label>
        Transition to the next
        <select
          value={section.transition ?? 'cut'}
          onChange={({ currentTarget: { value } }) => set({ transition: value as Transition })}
        >
          {TRANSITIONS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Like
        <select
          value={section.like ?? ''}
          onChange={({ currentTarget: { value } }) =>
            set({ like: value || undefined, vary: value ? section.vary : undefined })
          }
        >
          <option value="">no other</option>
          {[...new Set(earlier)].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Buttons now={now} index={index} move={move} />
    </fieldset>
  )
}

interface ButtonsProps {
  now: Song
  index: number
  move: (by: number) => void
}

function Buttons({ now, index, move }: ButtonsProps) {
  const { name } = now.section[index]!
  return (
    <div class="buttons">
      <button
        class="small"
        onClick={() => {
          change(rerolled(now, index))
          said.value = `${name} gets other notes.`
        }}
      >
        Reroll this section
      </button>
      <button class="small" onClick={() => change(doubled(now, index))}>
        Repeat it
      </button>
      <button class="small" disabled={index === 0} onClick={() => move(-1)}>
        Earlier
      </button>
      <button class="small" disabled={index === now.section.length - 1} onClick={() => move(1)}>
        Later
      </button>
      <button
        class="small"
        disabled={now.section.length < 2}
        onClick={() => change(removed(now, index))}
      >
        Remove it
      </button>
    </div>
  )
}
