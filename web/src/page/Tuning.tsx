import type { ComponentChildren } from 'preact'
import type { Scene } from '../stream/protocol'
import { MAX_SEED } from '../state/scene'
import { Icon } from './icons'
import { session } from './studio'

const KEYS = ['C', 'D', 'E', 'F', 'G', 'A', 'B'].flatMap((note) => [
  `${note} major`,
  `${note} minor`,
])

/** How it is played. Every change is heard with the next window. */
export function Tuning() {
  const scene = session.scene.value
  return (
    <section class="tuning" aria-labelledby="tuning">
      <h2 id="tuning">Tuning</h2>
      <Mode scene={scene} />
      <Tempo scene={scene} />
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
            value={scene.key ?? ''}
            onChange={(event) => session.change({ key: event.currentTarget.value || null })}
          >
            <option value="">from the prompt</option>
            {KEYS.map((key) => (
              <option key={key}>{key}</option>
            ))}
          </select>
        </Field>
        <Slider
          label="Guidance"
          field="guidance_scale"
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

type NumberField = 'strength' | 'walk' | 'morph_bars' | 'guidance_scale' | 'num_inference_steps'

interface SliderProps {
  label: string
  field: NumberField
  scene: Scene
  low: number
  high: number
  step: number
}

function Slider({ label, field, scene, low, high, step }: SliderProps) {
  const value = scene[field]
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
        onChange={(event) => session.change({ [field]: Number(event.currentTarget.value) })}
      />
      <output>{Number(value.toFixed(2))}</output>
    </Field>
  )
}

function Tempo({ scene }: { scene: Scene }) {
  const bpm = scene.bpm ?? 120
  return (
    <Field label="Tempo">
      <input
        type="range"
        aria-label="Tempo in beats per minute"
        min="50"
        max="200"
        value={bpm}
        data-auto={scene.bpm === null}
        style={{ '--at': `${(100 * (Math.min(200, Math.max(50, bpm)) - 50)) / 150}%` }}
        onChange={(event) => session.change({ bpm: Number(event.currentTarget.value) })}
      />
      <button
        class="value"
        aria-pressed={scene.bpm === null}
        title="Let the prompt say"
        onClick={() => session.change({ bpm: scene.bpm === null ? 120 : null })}
      >
        {scene.bpm === null ? 'auto' : Math.round(scene.bpm)}
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
