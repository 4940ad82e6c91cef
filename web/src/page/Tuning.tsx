import type { ComponentChildren } from 'preact'
import type { Scene } from '../stream/protocol'
import { useState } from 'preact/hooks'
import { KEYS, keyNamed, keyShown } from '../state/keys'
import { MAX_SEED } from '../state/scene'
import { Icon } from './icons'
import { session } from './studio'

/** How it is played. Every change is heard with the next window. */
export function Tuning() {
  const scene = session.scene.value
  return (
    <section class="tuning" aria-labelledby="tuning">
      <h2 id="tuning">Tuning</h2>
      <Mode scene={scene} />
      <AutoSlider
        label="Tempo"
        field="bpm"
        name="Tempo in beats per minute"
        auto="Let the prompt say"
        start={120}
        scene={scene}
        low={50}
        high={200}
        step={1}
      />
      {scene.mode === 'riff' && (
        <>
          <Slider label="Strength" field="strength" scene={scene} low={0.05} high={1} step={0.05} />
          <Slider label="Seed walk" field="walk" scene={scene} low={0} high={1} step={0.05} />
        </>
      )}
      <Slider label="Morph, bars" field="morph_bars" scene={scene} low={0} high={16} step={1} />
      <Seed scene={scene} />
      <Field label="Without">
        <input
          class="wide"
          aria-label="Negative prompt"
          placeholder="nothing"
          maxLength={500}
          value={scene.negative_prompt}
          onChange={(event) => session.change({ negative_prompt: event.currentTarget.value })}
        />
      </Field>
      <details>
        <summary>More</summary>
        <Field label="Key">
          <select
            aria-label="Key"
            value={keyNamed(scene.key ?? '') ?? ''}
            onChange={(event) => session.change({ key: event.currentTarget.value || null })}
          >
            <option value="">from the prompt</option>
            {KEYS.map((key) => (
              <option key={key} value={key}>
                {keyShown(key)}
              </option>
            ))}
          </select>
        </Field>
        <AutoSlider
          label="Guidance"
          field="guidance_scale"
          name="Guidance"
          auto="As the model likes it"
          start={5}
          scene={scene}
          low={1}
          high={12}
          step={0.5}
        />
        <Slider
          label="Steps"
          field="num_inference_steps"
          scene={scene}
          low={1}
          high={30}
          step={1}
        />
      </details>
    </section>
  )
}

function Field({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <span class="label">{label}</span>
      {children}
    </div>
  )
}

function Mode({ scene }: { scene: Scene }) {
  const modes = [
    { id: 'flow', name: 'Flow', about: 'the piece goes somewhere' },
    { id: 'riff', name: 'Riff', about: 'variations on one riff' },
  ] as const
  return (
    <div class="modes" role="radiogroup" aria-label="How it moves on">
      {modes.map(({ id, name, about }) => (
        <label key={id}>
          <input
            type="radio"
            name="mode"
            checked={scene.mode === id}
            onChange={() => session.change({ mode: id })}
          />
          <span class="name">{name}</span>
          <span class="about">{about}</span>
        </label>
      ))}
    </div>
  )
}

type NumberField = 'strength' | 'walk' | 'morph_bars' | 'num_inference_steps'

interface SliderProps {
  label: string
  field: NumberField
  scene: Scene
  low: number
  high: number
  step: number
}

function Slider({ label, field, scene, low, high, step }: SliderProps) {
  // While it is dragged it is heard nowhere yet, but its number goes along.
  const [dragged, setDragged] = useState<number | null>(null)
  const value = dragged ?? scene[field]
  const at = (Math.min(high, Math.max(low, value)) - low) / (high - low)
  return (
    <Field label={label}>
      <input
        type="range"
        aria-label={label}
        min={low}
        max={high}
        step={step}
        value={value}
        style={{ '--at': `${100 * at}%` }}
        onInput={(event) => setDragged(Number(event.currentTarget.value))}
        onChange={(event) => {
          setDragged(null)
          session.change({ [field]: Number(event.currentTarget.value) })
        }}
      />
      <output>{Number(value.toFixed(2))}</output>
    </Field>
  )
}

interface AutoSliderProps extends Omit<SliderProps, 'field'> {
  field: 'bpm' | 'guidance_scale'
  name: string
  auto: string
  start: number
}

/** A slider with a button for what is chosen elsewhere, by the prompt or by the model. */
function AutoSlider(props: AutoSliderProps) {
  const { label, field, name, auto, start, scene, low, high, step } = props
  const [dragged, setDragged] = useState<number | null>(null)
  const given = dragged ?? scene[field]
  const value = given ?? start
  const at = (Math.min(high, Math.max(low, value)) - low) / (high - low)
  return (
    <Field label={label}>
      <input
        type="range"
        aria-label={name}
        min={low}
        max={high}
        step={step}
        value={value}
        data-auto={given === null}
        style={{ '--at': `${100 * at}%` }}
        onInput={(event) => setDragged(Number(event.currentTarget.value))}
        onChange={(event) => {
          setDragged(null)
          session.change({ [field]: Number(event.currentTarget.value) })
        }}
      />
      <button
        class="value"
        aria-pressed={given === null}
        title={auto}
        onClick={() => session.change({ [field]: given === null ? start : null })}
      >
        {given === null ? 'auto' : Number(given.toFixed(1))}
      </button>
    </Field>
  )
}

function Seed({ scene }: { scene: Scene }) {
  const set = (seed: number) => session.change({ seed, alpha: 0 })
  return (
    <Field label="Seed">
      <input
        class="wide"
        type="number"
        aria-label="Seed"
        min="0"
        max={MAX_SEED}
        value={scene.seed}
        onChange={(event) => {
          const value = Math.round(Number(event.currentTarget.value))
          if (value >= 0 && value <= MAX_SEED) set(value)
          else event.currentTarget.value = String(scene.seed)
        }}
      />
      <button
        class="round"
        aria-label="Another seed"
        title="Another seed"
        onClick={() => set(Math.floor(Math.random() * 100_000))}
      >
        <Icon name="dice" />
      </button>
    </Field>
  )
}
