import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { mistakeInChords } from '../state/chords'
import { keyParts, ROOTS } from '../state/keys'
import { MAX_SEED } from '../state/scene'
import { Icon } from './icons'

interface FieldProps {
  label: string
  hint?: string
  children: ComponentChildren
}

/** A name, and what is set. */
export function Field({ label, hint, children }: FieldProps) {
  return (
    <div class="field">
      <span class="label" title={hint}>
        {label}
      </span>
      {children}
    </div>
  )
}

interface SliderProps {
  label: string
  /** For screen readers, where the label alone is not enough. */
  name?: string
  hint: string
  low: number
  high: number
  step: number
  value: number
  onChange: (value: number) => void
}

/** A number to drag, to type, or to move by arrow keys. */
export function Slider(props: SliderProps) {
  return (
    <Field label={props.label} hint={props.hint}>
      <Range {...props} off={false} />
    </Field>
  )
}

interface AutoProps extends Omit<SliderProps, 'value' | 'onChange'> {
  /** What the button says that leaves the choice to somebody else. */
  auto: string
  /** Where the slider stands before anything is chosen. */
  start: number
  value: number | null
  onChange: (value: number | null) => void
}

/** A slider with a button for what is chosen elsewhere, by the prompt or by the model. */
export function AutoSlider({ auto, start, value, onChange, ...props }: AutoProps) {
  return (
    <Field label={props.label} hint={props.hint}>
      <Range {...props} value={value ?? start} off={value === null} onChange={onChange} />
      <button
        type="button"
        class="value"
        aria-label={`${props.name ?? props.label}: auto, ${auto}`}
        aria-pressed={value === null}
        title={auto}
        onClick={() => onChange(value === null ? start : null)}
      >
        auto
      </button>
    </Field>
  )
}

function Range(props: SliderProps & { off: boolean }) {
  const { label, name = label, hint, low, high, step, value, off, onChange } = props
  // While it is dragged it is heard nowhere yet, but its number goes along.
  const [dragged, setDragged] = useState<number | null>(null)
  const shown = dragged ?? value
  const at = (Math.min(high, Math.max(low, shown)) - low) / (high - low)
  const set = (text: string) => {
    setDragged(null)
    const number = Number(text)
    if (text !== '' && number >= low && number <= high) onChange(number)
  }
  return (
    <>
      <input
        type="range"
        aria-label={name}
        title={hint}
        min={low}
        max={high}
        step={step}
        value={shown}
        data-auto={off && dragged === null}
        style={{ '--at': `${100 * at}%` }}
        onInput={(event) => setDragged(Number(event.currentTarget.value))}
        onChange={(event) => set(event.currentTarget.value)}
      />
      <input
        type="number"
        class="number"
        aria-label={`${name}, number`}
        min={low}
        max={high}
        step="any"
        value={off && dragged === null ? '' : Number(shown.toFixed(2))}
        onChange={(event) => {
          set(event.currentTarget.value)
          event.currentTarget.value = String(Number(shown.toFixed(2)))
        }}
      />
    </>
  )
}

/** A key: one of twelve roots and two modes, or as the prompt says. */
export function KeyField(props: { value: string | null; onChange: (key: string | null) => void }) {
  const { root, mode } = keyParts(props.value)
  return (
    <Field label="Key" hint="The notes that it keeps to">
      <span class="pair">
        <select
          aria-label="Key"
          value={root === null ? '' : String(root)}
          onChange={(event) => {
            const { value } = event.currentTarget
            props.onChange(value === '' ? null : ROOTS[mode][Number(value)]!.key)
          }}
        >
          <option value="">as the prompt says</option>
          {ROOTS[mode].map(({ key, shown }, i) => (
            <option key={key} value={i}>
              {shown}
            </option>
          ))}
        </select>
        <select
          aria-label="Mode"
          value={mode}
          disabled={root === null}
          onChange={(event) => {
            const next = event.currentTarget.value === 'minor' ? 'minor' : 'major'
            if (root !== null) props.onChange(ROOTS[next][root]!.key)
          }}
        >
          <option value="major">major</option>
          <option value="minor">minor</option>
        </select>
      </span>
    </Field>
  )
}

/** The number that the noise comes from. */
export function SeedField({
  value,
  onChange,
}: {
  value: number
  onChange: (seed: number) => void
}) {
  return (
    <Field label="Seed" hint="The same seed and words give the same music">
      <input
        class="wide"
        type="number"
        aria-label="Seed"
        min="0"
        max={MAX_SEED}
        value={value}
        onChange={(event) => {
          const seed = Math.round(Number(event.currentTarget.value))
          if (seed >= 0 && seed <= MAX_SEED) onChange(seed)
          else event.currentTarget.value = String(value)
        }}
      />
      <button
        type="button"
        class="round"
        aria-label="Another seed"
        title="Another seed"
        onClick={() => onChange(randomSeed())}
      >
        <Icon name="dice" />
      </button>
    </Field>
  )
}

export const randomSeed = (): number => Math.floor(Math.random() * 100_000)

interface TempoProps {
  value: number | null
  onChange: (bpm: number | null) => void
}

export function TempoField(props: TempoProps) {
  return (
    <AutoSlider
      label="Tempo"
      name="Tempo in beats per minute"
      hint="Beats per minute"
      auto="Let the prompt say"
      start={120}
      low={50}
      high={200}
      step={1}
      {...props}
    />
  )
}

interface WordsProps {
  label: string
  hint: string
  shown: string
  value: string
  onChange: (text: string) => void
}

/** A line of text, told when it is done. */
export function WordsField({ label, hint, shown, value, onChange }: WordsProps) {
  return (
    <Field label={label} hint={hint}>
      <input
        class="wide"
        aria-label={label}
        placeholder={shown}
        maxLength={500}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </Field>
  )
}

interface LeaveOutProps {
  value: string
  onChange: (text: string) => void
}

export function LeaveOutField(props: LeaveOutProps) {
  return <WordsField label="Leave out" hint="What is not to be heard" shown="nothing" {...props} />
}

interface EnergyProps {
  value: number | null
  onChange: (energy: number | null) => void
}

export function EnergyField({ value, onChange }: EnergyProps) {
  return (
    <AutoSlider
      label="Energy"
      hint="How much happens: 1 is calm, 5 is full"
      auto="Let the prompt say"
      start={3}
      low={1}
      high={5}
      step={1}
      value={value}
      onChange={(energy) => onChange(energy === null ? null : Math.round(energy))}
    />
  )
}

interface ChordsProps {
  value: string
  onChange: (chords: string) => void
}

/** Chords by name; what cannot be read is said and changes nothing. */
export function ChordsField({ value, onChange }: ChordsProps) {
  const [draft, setDraft] = useState({ text: '', mistake: '' })
  const set = (text: string) => {
    const mistake = mistakeInChords(text)
    setDraft({ text, mistake })
    if (!mistake) onChange(text.trim())
  }
  return (
    <>
      <WordsField
        label="Chords"
        hint="A bar each, again and again; Am:2 lasts two bars"
        shown="Am F C G"
        value={draft.mistake ? draft.text : value}
        onChange={set}
      />
      {draft.mistake && (
        <p class="hint" role="alert">
          {draft.mistake}
        </p>
      )}
    </>
  )
}
